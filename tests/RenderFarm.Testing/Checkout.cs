namespace RenderFarm.Testing;

/// <summary>The tree that the tests were built from, for tests that hold its documents to the code.</summary>
public static class Checkout
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "RenderFarm.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds RenderFarm.sln");
    }
}
