using System.Numerics;

namespace RenderFarm.Planning.Stages;

/// <summary>Every way to run every stage of one request on one slot, worked out once and asked for many budgets.</summary>
/// <remarks>
/// Measurements correct plans by kind, and a kind is what several stages choose together. So there is a set of stages for
/// each correction, which makes plans of those kinds alone that have it; the fastest of all sets is taken.
/// <para>
/// Time counts as the quality that was asked for wants it: eight bits count a quarter longer than they take, where they are only
/// wanted for a gain. Of plans of the chosen precisions that are nearly as fast the leanest is wanted. What counts as nearly is a step
/// on a scale that begins at what unlimited memory comes to, so that it is the same for every budget: the leanest plan of a step stays
/// the choice until a budget reaches the next one, and more memory never gives a slower plan of the same precision.
/// </para>
/// </remarks>
internal sealed class PlanStages
{
    /// <summary>Times within this factor are a tie.</summary>
    private const double Tie = 1.03;

    /// <summary>Budgets between which a leaner plan is looked for.</summary>
    private const long Grain = 16L << 20;

    private readonly PlanContext _context;
    private readonly List<CorrectedStages> _sets;
    private readonly List<long> _hostSizes;
    private readonly double _least;

    public PlanStages(PlanContext context)
    {
        _context = context;
        _sets =
        [
            .. context.Request.Corrections.Distinct.Select(correction => new CorrectedStages(context with { Correction = correction })),
        ];
        _hostSizes = [.. _sets.SelectMany(set => set.HostSizes).Distinct().Order()];
        LeastPeakBytes = _sets.Min(set => set.LeastPeakBytes);
        _least = Counting(long.MaxValue)?.Counts ?? 0;
    }

    /// <summary>The least that a plan of this request needs; null when pins or host memory leave none.</summary>
    public long? LeastPeakBytes { get; }

    /// <summary>
    /// Of those within the budget that are nearly as fast as the fastest, the one with the least host memory, then the least device
    /// memory; null when some stage has nothing that fits.
    /// </summary>
    public PlanDraft? Best(long budget)
    {
        if (Counting(budget) is not var (place, fastest, counts))
        {
            return null;
        }

        var step = Math.Floor(Math.Log(counts / _least) / Math.Log(Tie));
        var most = Math.Max(counts, _least * Math.Pow(Tie, step + 1)) / _context.Classes[place].Handicap;
        foreach (var host in _hostSizes)
        {
            if (Fastest(place, budget, host) is { } within && within.UncorrectedSeconds <= most)
            {
                return Leanest(place, budget, host, most, within);
            }
        }

        return fastest;
    }

    /// <summary>The fastest within the budget of the precisions that this plan's is one of.</summary>
    public PlanDraft? FastestLike(PlanDraft plan, long budget) =>
        Fastest(BitOperations.TrailingZeroCount(plan.Denoise.Choice.Way.Classes), budget);

    /// <summary>The fastest in the precision of the model's file; null when none fits, or quality leaves no choice.</summary>
    public PlanDraft? Exact(long budget) => _context.Classes.Count == 2 ? Fastest(0, budget) : null;

    /// <summary>The fastest in eight bits, where quality leaves the choice.</summary>
    public PlanDraft? InEightBits(long budget) => _context.Classes.Count == 2 ? Fastest(1, budget) : null;

    /// <summary>The fastest as time counts, and the place of its class.</summary>
    private (int Place, PlanDraft Draft, double Counts)? Counting(long budget)
    {
        (int Place, PlanDraft Draft, double Counts)? best = null;
        for (var place = 0; place < _context.Classes.Count; place++)
        {
            var handicap = _context.Classes[place].Handicap;
            if (Fastest(place, budget) is { } draft && !(draft.UncorrectedSeconds * handicap >= best?.Counts))
            {
                best = (place, draft, draft.UncorrectedSeconds * handicap);
            }
        }

        return best;
    }

    /// <summary>The fastest of each stage within the budget, by ways that need no more host memory; null when there is none.</summary>
    private PlanDraft? Fastest(int place, long budget, long hostBytes = long.MaxValue)
    {
        var bit = 1u << place;
        return PlanDraft.Fastest(_sets.Select(set => set.Best(budget, way => way.HostBytes <= hostBytes && (way.Classes & bit) != 0)));
    }

    private PlanDraft Leanest(int place, long budget, long hostBytes, double most, PlanDraft within)
    {
        // Times only fall as budgets grow
        var (low, high) = ((LeastPeakBytes ?? 0) / Grain, (within.PeakBytes + Grain - 1) / Grain);
        var leanest = within;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (Fastest(place, Math.Min(budget, middle * Grain), hostBytes) is { } leaner && leaner.UncorrectedSeconds <= most)
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
