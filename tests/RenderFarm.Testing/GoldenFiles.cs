namespace RenderFarm.Testing;

/// <summary>Reference files under <c>tests/golden</c>.</summary>
public static class GoldenFiles
{
    public static string Directory { get; } = Find();

    public static string Path(string name)
    {
        var path = System.IO.Path.Combine(Directory, name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"There is no golden file '{name}'.", path);
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.Path.Combine(folder.FullName, "tests", "golden") is var golden && System.IO.Directory.Exists(golden))
            {
                return golden;
            }
        }

        throw new DirectoryNotFoundException($"No tests/golden above '{AppContext.BaseDirectory}'.");
    }
}
