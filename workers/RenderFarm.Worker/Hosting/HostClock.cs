namespace RenderFarm.Worker.Hosting;

/// <summary>
/// The time of this host: its monotonic clock as it is, its wall clock off by what <c>Worker:ClockOffsetSeconds</c> says.
/// </summary>
internal sealed class HostClock(double offsetSeconds) : TimeProvider
{
    private readonly TimeSpan _offset = TimeSpan.FromSeconds(offsetSeconds);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _offset;
}
