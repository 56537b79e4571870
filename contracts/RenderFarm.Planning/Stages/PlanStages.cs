namespace RenderFarm.Planning.Stages;

/// <summary>Every way to run every stage of one request on one slot, worked out once and asked for many budgets.</summary>
/// <remarks>
/// Measurements correct plans by kind, and a kind is what several stages choose together. So there is a set of stages for
/// each correction, which makes plans of those kinds alone that have it; the fastest of all sets is taken.
/// <para>
/// Of plans that are nearly as fast the leanest is wanted. What counts as nearly is a step on a scale that begins at the time with
/// unlimited memory, so that it is the same for every budget: the leanest plan of a step stays the choice until a budget reaches the
/// next one, and more memory never gives a slower plan.
/// </para>
/// </remarks>
internal sealed class PlanStages
{
    /// <summary>Times within this factor are a tie.</summary>
    private const double Tie = 1.03;

    /// <summary>Budgets between which a leaner plan is looked for.</summary>
    private const long Grain = 16L << 20;

    private readonly List<CorrectedStages> _sets;
    private readonly List<long> _hostSizes;
    private readonly double _least;

    public PlanStages(PlanContext context)
    {
        _sets =
        [
            .. context.Request.Corrections.Distinct.Select(correction => new CorrectedStages(context with { Correction = correction })),
        ];
        _hostSizes = [.. _sets.SelectMany(set => set.HostSizes).Distinct().Order()];
        LeastPeakBytes = _sets.Min(set => set.LeastPeakBytes);
        _least = Fastest(long.MaxValue)?.UncorrectedSeconds ?? 0;
    }

    /// <summary>The least that a plan of this request needs; null when pins or host memory leave none.</summary>
    public long? LeastPeakBytes { get; }

    /// <summary>
    /// Of those within the budget that are nearly as fast as the fastest, the one with the least host memory, then the least device
    /// memory; null when some stage has nothing that fits.
    /// </summary>
    public PlanDraft? Best(long budget)
    {
        if (Fastest(budget) is not { } fastest)
        {
            return null;
        }

        var step = Math.Floor(Math.Log(fastest.UncorrectedSeconds / _least) / Math.Log(Tie));
        var most = Math.Max(fastest.UncorrectedSeconds, _least * Math.Pow(Tie, step + 1));
        foreach (var host in _hostSizes)
        {
            if (Fastest(budget, host) is { } within && within.UncorrectedSeconds <= most)
            {
                return Leanest(budget, host, most, within);
            }
        }

        return fastest;
    }

    /// <summary>The fastest of each stage within the budget, by ways that need no more host memory; null when there is none.</summary>
    public PlanDraft? Fastest(long budget, long hostBytes = long.MaxValue) =>
        PlanDraft.Fastest(_sets.Select(set => set.Best(budget, hostBytes)));

    private PlanDraft Leanest(long budget, long hostBytes, double most, PlanDraft within)
    {
        // Times only fall as budgets grow
        var (low, high) = ((LeastPeakBytes ?? 0) / Grain, (within.PeakBytes + Grain - 1) / Grain);
        var leanest = within;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (Fastest(Math.Min(budget, middle * Grain), hostBytes) is { } leaner && leaner.UncorrectedSeconds <= most)
            {
                (leanest, high) = (leaner, middle);
            }
            else
            {
                low = middle + 1;
            }
        }

        return leanest;
    }
}
