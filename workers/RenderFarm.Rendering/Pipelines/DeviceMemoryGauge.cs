using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Device memory of this process: what the pool had reserved at most, plus the context and what it grew by since (kernels
/// are loaded when they are first used, outside the pool).
/// </summary>
/// <param name="contextBytes">What the context took when it was made.</param>
public sealed class DeviceMemoryGauge(long contextBytes) : IMemoryGauge
{
    private readonly MemoryPool _pool = MemoryPool.OfDevice();
    private readonly long _outsideAtStart = OutsidePool(MemoryPool.OfDevice());

    public long PeakBytes() => _pool.ReservedHighWater + contextBytes + Math.Max(0, OutsidePool(_pool) - _outsideAtStart);

    public void RestartPeak() => _pool.ResetHighWater();

    /// <summary>In use on the card and not in our pool; other processes' changes are taken for ours, which errs on the safe side.</summary>
    private static long OutsidePool(MemoryPool pool)
    {
        var (free, total) = CudaDevice.Memory;
        return total - free - pool.Reserved;
    }
}
