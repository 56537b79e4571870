namespace RenderFarm.Testing.Farms;

/// <summary>The farm's programs as built beside the tests that run: same tree, same configuration.</summary>
public static class BuiltPrograms
{
    public static string Api => Program("services", "RenderFarm.Api");
    public static string Cli => Program("services", "RenderFarm.Cli");
    public static string Worker => Program("workers", "RenderFarm.Worker");
    public static string Renderer => Program("workers", "RenderFarm.Renderer");
    public static string Tools => Program("workers", "RenderFarm.Tools");
    public static string Chaos => Program("tests", "RenderFarm.Chaos");

    /// <summary>The repository.</summary>
    public static string Root => Output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

    // tests/RenderFarm.X.Tests/bin/Release/net10.0
    private static DirectoryInfo Output => new(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    private static string Program(string part, string name)
    {
        var path = Path.Combine(Root, part, name, "bin", Output.Parent!.Name, Output.Name, name);
        Assert.True(File.Exists(path), $"{path} is not built: build RenderFarm.sln in this configuration");
        return path;
    }
}
