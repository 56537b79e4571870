namespace RenderFarm.Renderer.Process;

/// <summary>
/// Variables that native libraries read when they are loaded; what is set already stays. .NET's own
/// <see cref="Environment.SetEnvironmentVariable(string, string)"/> does not reach them.
/// </summary>
internal static class NativeEnvironment
{
    /// <summary>Call before libtorch is loaded.</summary>
    public static void Prepare()
    {
        // tensors in huge pages: a decoder allocates hundreds of megabytes per frame, and faulting them in by 4 KiB costs as much as computing
        Set("THP_MEM_ALLOC_ENABLE", "1");
        // threads that spin at a barrier take the cores that the video encoder and everybody else need
        Set("OMP_WAIT_POLICY", "PASSIVE");
    }

    private static void Set(string name, string value) => _ = LibC.setenv(name, value, overwrite: 0);
}
