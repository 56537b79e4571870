using RenderFarm.Cuda.Memory;
using RenderFarm.Planning.Cards;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Device memory of this process: what its pool had reserved at most, plus what it holds outside the pool, which is the context and the
/// kernels that are loaded when they are first used. What other processes take or give back has no part in it.
/// </summary>
/// <param name="ownBytes">
/// What this process holds of the card, as the driver counts it by process; null where the driver can't tell. Then the share outside the
/// pool is what plans count with, so that a measured peak corrects a plan by the pool alone.
/// </param>
public sealed class DeviceMemoryGauge(IPoolFigures pool, Func<long?> ownBytes) : IMemoryGauge
{
    private long? _outside;

    public long PeakBytes()
    {
        LookOutside();
        return pool.ReservedHighWater + (_outside ?? ProcessMemory.OnCardBytes);
    }

    public void RestartPeak() => pool.ResetHighWater();

    /// <summary>What is loaded stays: the most that was ever seen is what is there.</summary>
    private void LookOutside()
    {
        var before = pool.Reserved;
        // Two questions, one after the other: a pool that has moved between them would be taken for something outside it
        if (ownBytes() is { } own && pool.Reserved == before && own > before)
        {
            _outside = Math.Max(_outside ?? 0, own - before);
        }
    }
}
