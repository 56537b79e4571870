using RenderFarm.Planning.Stages;

namespace RenderFarm.Planning;

/// <summary>What a chosen plan is explained by.</summary>
internal sealed record PlanNeighbours
{
    /// <summary>The next faster plan, the one that just doesn't fit; null when nothing faster exists.</summary>
    public PlanDraft? Faster { get; init; }

    /// <summary>The fastest of its precisions that fits, which may be another for being a little faster.</summary>
    public PlanDraft? Fastest { get; init; }

    /// <summary>The fastest in the precision of the model's file; null when none fits, or quality leaves no choice.</summary>
    public PlanDraft? Exact { get; init; }

    /// <summary>The fastest in eight bits; null when none fits, or quality leaves no choice.</summary>
    public PlanDraft? InEightBits { get; init; }
}
