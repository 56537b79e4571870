using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning;

/// <summary>The plan that was chosen and its neighbours, or a refusal with the figures.</summary>
public sealed record PlanResult
{
    /// <summary>The fastest plan that fits; null when <see cref="Refusal"/> says why there is none.</summary>
    public RenderPlan? Plan { get; init; }

    /// <summary>
    /// The ladder, from the plan that unlimited memory would get down to the least there is; faster plans first, each
    /// with a lower peak than the one before. <see cref="RenderPlan.Fits"/> tells which fit; the chosen plan is among them.
    /// </summary>
    public required IReadOnlyList<RenderPlan> Alternatives { get; init; }

    /// <summary>Free − reserve, in bytes.</summary>
    public required long BudgetBytes { get; init; }
    public PlanRefusal? Refusal { get; init; }
}

/// <summary>Why no plan can be had.</summary>
/// <param name="Message">One sentence with the figures and the remedy.</param>
/// <param name="LeastPeakBytes">Peak of the leanest plan under the pins; null when memory of the device is not the trouble.</param>
/// <param name="Field">The pin to blame (<c>plan.blocks_streamed</c>), or null.</param>
public sealed record PlanRefusal(string Message, long? LeastPeakBytes = null, string? Field = null);
