using RenderFarm.Chaos.Plan;

namespace RenderFarm.Chaos.Faults;

/// <summary>A fault as it happened.</summary>
/// <param name="Began">Since the start of the run: the moment of the kill, cut or message.</param>
/// <param name="Mended">When what was broken had been started or let go again.</param>
/// <param name="NotApplied">Why it could not happen; null when it did.</param>
internal sealed record FaultRecord(Fault Fault, TimeSpan Began, TimeSpan Mended, string Note, string? NotApplied = null)
{
    /// <summary>The job and fence that the victim held, where it was a worker or renderer and held one.</summary>
    public (string JobId, long Fence)? Held { get; init; }

    /// <summary>By the database's clock, like the times in its rows.</summary>
    public DateTimeOffset? BeganAt { get; init; }
}
