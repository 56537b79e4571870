namespace RenderFarm.Planning.Stages;

/// <summary>Every way to run every stage of one request on one slot, worked out once and asked for many budgets.</summary>
/// <remarks>
/// Measurements correct plans by kind, and a kind is what several stages choose together. So there is a set of stages for
/// each correction, which makes plans of those kinds alone that have it; the fastest of all sets is taken.
/// </remarks>
internal sealed class PlanStages(PlanContext context)
{
    private readonly List<CorrectedStages> _sets =
    [
        .. context.Request.Corrections.Distinct.Select(correction => new CorrectedStages(context with { Correction = correction })),
    ];

    /// <summary>The least that a plan of this request needs; null when pins or host memory leave none.</summary>
    public long? LeastPeakBytes => _sets.Min(set => set.LeastPeakBytes);

    /// <summary>The fastest of each stage within the budget; null when some stage has nothing that fits.</summary>
    public PlanDraft? Best(long budget) => PlanDraft.Fastest(_sets.Select(set => set.Best(budget)));
}
