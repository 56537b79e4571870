using System.Reflection;

namespace RenderFarm.Inference.Kernels;

/// <summary>The sources of this folder, as they lie in the assembly.</summary>
internal static class KernelSource
{
    /// <summary>With <c>common.cuh</c> in front.</summary>
    public static string Of(string name) => Read("common.cuh") + Read(name);

    private static string Read(string name)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"the kernel source {name} is not in the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
