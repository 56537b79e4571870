namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Device memory of this process where libtorch allocates by itself: it keeps what it once had, so what the driver counts at the end of a
/// stage is the most of it.
/// </summary>
/// <param name="ownBytes">What this process holds of the card now.</param>
public sealed class NativeAllocatorGauge(Func<long> ownBytes) : IMemoryGauge
{
    private long _peak;

    public long PeakBytes() => _peak = Math.Max(_peak, ownBytes());

    public void RestartPeak() => _peak = ownBytes();
}
