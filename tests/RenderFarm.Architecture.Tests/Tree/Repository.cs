namespace RenderFarm.Architecture.Tests.Tree;

/// <summary>The checkout this test was built in, as files.</summary>
internal static class Repository
{
    private static readonly string[] NotSource = ["bin", "obj", "node_modules", "shared", "artifacts"];

    public static string Root { get; } = FindRoot();

    /// <summary>Every project of the tree, tests included.</summary>
    public static IReadOnlyList<Project> Projects { get; } =
    [.. FilesOf(Root, "*.csproj").Select(Project.Read).OrderBy(project => project.Name, StringComparer.Ordinal)];

    /// <summary>With slashes, from the root of the checkout.</summary>
    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    public static IEnumerable<string> FilesOf(string folder, string pattern) =>
        Directory
            .EnumerateFiles(folder, pattern)
            .Order(StringComparer.Ordinal)
            .Concat(FoldersOf(folder).SelectMany(inner => FilesOf(inner, pattern)));

    /// <summary>Folders that hold source, without hidden ones and what a build leaves behind.</summary>
    public static IEnumerable<string> FoldersOf(string folder) =>
        Directory
            .EnumerateDirectories(folder)
            .Where(inner =>
                Path.GetFileName(inner) is var name && !name.StartsWith('.') && !NotSource.Contains(name, StringComparer.Ordinal)
            )
            .Order(StringComparer.Ordinal);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RenderFarm.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"There is no RenderFarm.sln above '{AppContext.BaseDirectory}'.");
    }
}
