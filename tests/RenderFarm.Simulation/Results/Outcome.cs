using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Results;

/// <summary>How the farm stood at a moment.</summary>
internal sealed record Sample(double At, int Waiting, int Rendering);

/// <summary>What came of a run.</summary>
internal sealed class Outcome(
    string queue,
    double seconds,
    IReadOnlyList<VideoJob> jobs,
    IReadOnlyList<Card> cards,
    IReadOnlyList<Sample> samples
)
{
    /// <summary>Keys that ask for least, half of them, against the tenth that asks for most.</summary>
    private const double LightShare = 0.5;
    private const double HeavyShare = 0.1;

    public string Queue => queue;
    public IReadOnlyList<VideoJob> Jobs => jobs;
    public IReadOnlyList<Sample> Samples => samples;
    public double Utilisation { get; } = cards.Sum(card => card.BusySeconds) / cards.Sum(card => card.ThereSeconds);
    public int Completed { get; } = jobs.Count(job => job is { EndedAt: not null, Failed: false });
    public int Failed { get; } = jobs.Count(job => job.Failed);

    /// <summary>Neither on a card nor ended when the time was over.</summary>
    public int LeftWaiting { get; } = jobs.Count(job => job.TakenAt is null);

    /// <summary>Of those that were taken, and for the others until the end.</summary>
    public double LongestWait { get; } = jobs.Max(job => (job.TakenAt ?? seconds) - job.SubmittedAt);
    public double CardSecondsEach => Each(job => job.CardSeconds);

    /// <summary>GiB of cards' memory, times hours, for a video.</summary>
    public double MemoryHoursEach => Each(job => job.MemorySeconds) / 3_600;

    public Waits Waits { get; } = Waits.Of(jobs, seconds);

    public IReadOnlyList<(int VramClass, Waits Waits)> ByClass { get; } =
        [
            .. jobs
                .GroupBy(job => job.Kind.Needs.VramClass)
                .OrderBy(group => group.Key)
                .Select(group => (group.Key, Waits.Of([.. group], seconds))),
        ];

    public IReadOnlyList<(VideoKind Kind, Waits Waits, double Latency)> ByKind { get; } =
        [
            .. jobs
                .GroupBy(job => job.Kind)
                .OrderBy(group => group.Key.Needs.EstimatedSeconds)
                .Select(group =>
                    (
                        group.Key,
                        Waits.Of([.. group], seconds),
                        Waits.Percentile([.. group.Select(job => (job.EndedAt ?? seconds) - job.SubmittedAt).Order()], 0.95)
                    )
                ),
        ];

    /// <summary>How long jobs of keys that ask for little wait, and those of keys that ask for most.</summary>
    public (Waits Light, Waits Heavy) ByDemand { get; } = DemandOf(jobs, seconds);

    private double Each(Func<VideoJob, double> of) => jobs.Sum(of) / Math.Max(1, Completed);

    private static (Waits, Waits) DemandOf(IReadOnlyList<VideoJob> jobs, double seconds)
    {
        var keys = jobs.Select(job => job.Customer).Distinct().OrderBy(customer => customer.AskedSeconds).ToList();
        var light = keys.Take((int)(keys.Count * LightShare)).ToHashSet();
        var heavy = keys.TakeLast(Math.Max(1, (int)(keys.Count * HeavyShare))).ToHashSet();
        return (
            Waits.Of([.. jobs.Where(job => light.Contains(job.Customer))], seconds),
            Waits.Of([.. jobs.Where(job => heavy.Contains(job.Customer))], seconds)
        );
    }
}

/// <summary>Seconds from submission to the first lease; who was not taken has waited until the end.</summary>
internal sealed record Waits(int Jobs, double P50, double P95, double P99)
{
    public static Waits Of(IReadOnlyList<VideoJob> jobs, double end)
    {
        var waits = jobs.Select(job => (job.TakenAt ?? end) - job.SubmittedAt).Order().ToList();
        return new Waits(waits.Count, Percentile(waits, 0.5), Percentile(waits, 0.95), Percentile(waits, 0.99));
    }

    /// <param name="sorted">Ascending.</param>
    /// <param name="part">0 to 1.</param>
    public static double Percentile(IReadOnlyList<double> sorted, double part) =>
        sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(part * sorted.Count))];
}
