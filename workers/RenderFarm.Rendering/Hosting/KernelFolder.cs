namespace RenderFarm.Rendering.Hosting;

/// <summary>Where compiled kernels are kept by programs that have no farm's folder.</summary>
public static class KernelFolder
{
    public static string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "renderfarm-kernels");
}
