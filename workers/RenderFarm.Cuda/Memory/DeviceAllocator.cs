using RenderFarm.Cuda.Native;
using RenderFarm.Cuda.Ways;

namespace RenderFarm.Cuda.Memory;

/// <summary>Where libtorch takes device memory from in this process. Decided once, before libtorch starts.</summary>
public static class DeviceAllocator
{
    private static readonly Lazy<string?> Refusal = new(WhyNoPools);

    /// <summary>The device's pool: exact figures, and memory that can be given back. Else libtorch's own, which keeps it.</summary>
    public static bool IsPool => WhyNative is null;

    /// <summary>Why it is libtorch's own; null where it is the pool.</summary>
    public static string? WhyNative => Refusal.Value;

    private static string? WhyNoPools()
    {
        if (ForcedWay.NativeAllocator.IsForced)
        {
            return $"{ForcedWay.Variable} asks for it";
        }

        if (Environment.GetEnvironmentVariable(MemoryPool.AllocatorVariable) is { Length: > 0 } set && !MemoryPool.IsAskedFor)
        {
            return $"{MemoryPool.AllocatorVariable} is set to '{set}'";
        }

        return CudaDriver.HasMemoryPools() == false ? "the driver offers no memory pools on this card" : null;
    }
}
