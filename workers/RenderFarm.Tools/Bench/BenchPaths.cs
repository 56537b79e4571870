namespace RenderFarm.Tools.Bench;

internal static class BenchPaths
{
    /// <summary>
    /// A folder in shared memory that keeps the jobs' weights for the next bench; removed by whoever named it. Null keeps none.
    /// </summary>
    public static string? Weights =>
        Environment.GetEnvironmentVariable("RENDERFARM_BENCH_WEIGHTS") is { Length: > 0 } folder ? folder : null;

    /// <summary>Prepared blocks of a bench go where those of a render go: into shared memory.</summary>
    public static string Prepared(string name) => Path.Combine("/dev/shm", $"renderfarm-bench-{Environment.ProcessId}", name);
}
