using static RenderFarm.Cuda.Native.CudaRuntime;

namespace RenderFarm.Cuda.Memory;

/// <summary>
/// The device's default memory pool. With <c>PYTORCH_CUDA_ALLOC_CONF=backend:cudaMallocAsync</c> set before libtorch
/// starts, all tensors come from it, and these are exact figures of them. Bytes throughout.
/// </summary>
public sealed class MemoryPool : IPoolFigures
{
    private const int ReservedCurrent = 5;
    private const int ReservedHigh = 6;
    private const int UsedCurrent = 7;
    private const int UsedHigh = 8;

    /// <summary>The setting that makes libtorch allocate here; it is read once, when libtorch starts.</summary>
    public const string AllocatorVariable = "PYTORCH_CUDA_ALLOC_CONF";
    public const string AllocatorSetting = "backend:" + Backend;

    /// <summary>And the one that makes it allocate by itself.</summary>
    public const string NativeSetting = "backend:native";

    private const string Backend = "cudaMallocAsync";

    private readonly nint _pool;

    private MemoryPool(nint pool) => _pool = pool;

    public static MemoryPool OfDevice(int device = 0)
    {
        Check(DefaultMemoryPool(out var pool, device), "cudaDeviceGetDefaultMemPool");
        return new MemoryPool(pool);
    }

    /// <summary>Whether who started this process has set it so.</summary>
    public static bool IsAskedFor =>
        Environment.GetEnvironmentVariable(AllocatorVariable)?.Contains(Backend, StringComparison.Ordinal) == true;

    /// <summary>Held by tensors.</summary>
    public long Used => Get(UsedCurrent);

    public long UsedHighWater => Get(UsedHigh);

    /// <summary>Taken from the card, used or kept for reuse.</summary>
    public long Reserved => Get(ReservedCurrent);

    public long ReservedHighWater => Get(ReservedHigh);

    /// <summary>High-water marks count from the present again.</summary>
    public void ResetHighWater()
    {
        Set(UsedHigh);
        Set(ReservedHigh);
    }

    /// <summary>
    /// Gives unused memory back to the card, down to <paramref name="keep"/>. Waits for the device first, since memory freed by
    /// work still enqueued cannot go.
    /// </summary>
    public void Trim(long keep = 0)
    {
        CudaDevice.Synchronize();
        Check(PoolTrim(_pool, (nuint)keep), "cudaMemPoolTrimTo");
    }

    private long Get(int attribute)
    {
        Check(PoolGet(_pool, attribute, out var value), "cudaMemPoolGetAttribute");
        return (long)value;
    }

    private void Set(int attribute) => Check(PoolSet(_pool, attribute, 0), "cudaMemPoolSetAttribute");
}
