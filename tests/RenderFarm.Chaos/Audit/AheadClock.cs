namespace RenderFarm.Chaos.Audit;

/// <summary>The real clock, some time ahead: what has to lie for a day is old enough today.</summary>
internal sealed class AheadClock(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
}
