namespace RenderFarm.Renderer.Bench;

internal static class BenchPaths
{
    public static string Kernels => Path.Combine(Path.GetTempPath(), "renderfarm-kernels");

    /// <summary>Prepared blocks of a bench go where those of a render go: into shared memory.</summary>
    public static string Prepared(string name) => Path.Combine("/dev/shm", $"renderfarm-bench-{Environment.ProcessId}", name);
}
