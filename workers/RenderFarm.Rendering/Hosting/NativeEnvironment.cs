using RenderFarm.Cuda.Memory;

namespace RenderFarm.Rendering.Hosting;

/// <summary>
/// How native libraries allocate and wait. A variable that is set already stays as it is;
/// <see cref="Environment.SetEnvironmentVariable(string, string)"/> would not reach them.
/// </summary>
public static class NativeEnvironment
{
    /// <summary>Call before libtorch is loaded.</summary>
    public static void Prepare()
    {
        // Tensors in huge pages: a decoder allocates hundreds of megabytes a frame, and faulting them in by 4 KiB
        // takes half as long again as computing.
        Set("THP_MEM_ALLOC_ENABLE", "1");
        // Freed ones are kept for the next frame: glibc would give each back to the kernel, to be zeroed again.
        _ = LibC.mallopt(LibC.MallocMmapMax, 0);
        _ = LibC.mallopt(LibC.MallocTrimThreshold, 1 << 30);
        // Threads that spin at a barrier take the cores that the video encoder needs.
        Set("OMP_WAIT_POLICY", "PASSIVE");
        // Tensors of a card come from the device's own pool where it has one: exact figures, and memory that can be given back.
        if (DeviceAllocator.IsPool)
        {
            Set(MemoryPool.AllocatorVariable, MemoryPool.AllocatorSetting);
        }
        else if (MemoryPool.IsAskedFor)
        {
            _ = LibC.setenv(MemoryPool.AllocatorVariable, MemoryPool.NativeSetting, overwrite: 1);
        }
    }

    /// <summary>Ends the process: libtorch takes the better part of a second to tear itself down, and somebody waits.</summary>
    /// <returns>Never.</returns>
    public static int LeaveAtOnce(int code)
    {
        Console.Out.Flush();
        LibC.ExitNow(code);
        return code;
    }

    private static void Set(string name, string value) => _ = LibC.setenv(name, value, overwrite: 0);
}
