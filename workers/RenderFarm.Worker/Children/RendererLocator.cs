namespace RenderFarm.Worker.Children;

/// <summary>Finds the renderer that belongs to this worker: installed beside it, or built in the same tree and configuration.</summary>
internal static class RendererLocator
{
    private const string Program = "RenderFarm.Renderer";

    public static string Default { get; } = Candidates().FirstOrDefault(File.Exists) ?? "";

    private static IEnumerable<string> Candidates()
    {
        var here = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        yield return Path.Combine(here, "renderer", Program);
        yield return Path.Combine(Path.GetDirectoryName(here) ?? here, "renderer", Program);

        // …/workers/RenderFarm.Worker/bin/Release/net10.0, or the same depth under tests/
        var framework = Path.GetFileName(here);
        var configuration = Path.GetFileName(Path.GetDirectoryName(here) ?? "");
        var tree = Path.GetFullPath(Path.Combine(here, "..", "..", "..", "..", ".."));
        yield return Path.Combine(tree, "workers", Program, "bin", configuration, framework, Program);
    }
}
