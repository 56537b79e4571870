using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Units;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning;

/// <summary>VRAM classes in GiB (<see cref="Bells.Classes"/>): what a job needs, and what a slot serves.</summary>
public static class VramClass
{
    /// <summary>Cards report less than their name says: a 24 GB card with error correction has 22.5 GiB.</summary>
    private const double ReportedShare = 0.92;

    /// <summary>A desktop, or another small process, on the card of the class. Assumed.</summary>
    private const long OthersBytes = 256L << 20;

    /// <summary>A job is sensible on a CPU slot up to this much host memory, text encoder included… Both are a choice.</summary>
    private const long CpuBytes = 8 * Gibibytes.One;

    /// <summary>…and up to this long on two ordinary cores.</summary>
    private static readonly TimeSpan CpuTime = TimeSpan.FromHours(6);

    /// <summary>
    /// The least class whose cards can run the job: 0 when a CPU slot can, null when no class can (the plan's refusal for
    /// the largest card says why).
    /// </summary>
    public static int? Of(PlanRequest request)
    {
        if (FitsCpu(request))
        {
            return 0;
        }

        foreach (var gibibytes in Bells.Classes)
        {
            if (gibibytes > 0 && Planner.Fits(request, SmallestCard(gibibytes)))
            {
                return gibibytes;
            }
        }

        return null;
    }

    /// <summary>The largest class a card of this size serves; it serves every smaller one too, and 0.</summary>
    public static int OfTotal(long totalBytes) => Bells.Classes.Last(gibibytes => totalBytes >= ReportedShare * gibibytes * Gibibytes.One);

    /// <summary>The least of the cards that count as this class, for planning a job nobody has leased yet.</summary>
    public static SlotState SmallestCard(int gibibytes)
    {
        var total = (long)(ReportedShare * gibibytes * Gibibytes.One);
        return SlotState.Gpu(gibibytes) with { TotalBytes = total, FreeBytes = total - OthersBytes, Calibration = KnownCards.Find("H100") };
    }

    private static bool FitsCpu(PlanRequest request)
    {
        // A precision that only cards have rules a CPU slot out, rather than the job
        var result = Planner.Plan(request, SlotState.Cpu(CpuBytes));
        return result.Plan is { } plan && plan.PredictedSeconds <= CpuTime.TotalSeconds;
    }
}
