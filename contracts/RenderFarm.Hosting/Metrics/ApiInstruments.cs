namespace RenderFarm.Hosting.Metrics;

/// <summary>The figures of the API: queues, from the store, and what the endings of leases report of renders.</summary>
public static class ApiInstruments
{
    public const string Meter = "RenderFarm.Api";

    private static readonly double[] RenderSeconds = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1200, 2400, 4800, 9600];
    private static readonly double[] StepSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128];

    public static readonly Instrument Submissions = new("renderfarm.submissions", "Videos submitted, by model and result.");
    public static readonly Instrument Jobs = new("renderfarm.jobs", "Jobs by state.");
    public static readonly Instrument QueueDepth = new("renderfarm.queue.depth", "Queued jobs by model and VRAM class.");

    public static readonly Instrument QueueOldestAge =
        new("renderfarm.queue.oldest.age", "Age of the oldest queued job by model and VRAM class.", "s");

    public static readonly Instrument QueueWait =
        new("renderfarm.queue.wait", "From submission to the first lease, by model.", "s") { Buckets = RenderSeconds };

    public static readonly Instrument StoreUp = new("renderfarm.store.up", "1 while the job store answers.");

    public static readonly Instrument LoopDegraded =
        new("renderfarm.loop.degraded", "1 while a loop of the API fails and is begun again, by loop.");

    public static readonly Instrument JanitorUnclaimed =
        new("renderfarm.janitor.unclaimed", "Stored objects that no row knows of, as the last sweep of the artifact store found them.");

    public static readonly Instrument LeasePolls =
        new("renderfarm.lease.polls", "Slots that are waiting for work in a long poll.");

    public static readonly Instrument LeaseEndings =
        new("renderfarm.lease.endings", "Ended leases, by model, ending and reason.");

    public static readonly Instrument LeasesRevived =
        new("renderfarm.leases.revived", "Leases that were taken for lost and whose worker came back before another took the job.");

    public static readonly Instrument LeaseDuration =
        new("renderfarm.lease.duration", "From lease to its ending, by model and ending.", "s") { Buckets = RenderSeconds };

    public static readonly Instrument LeaseStageDuration =
        new("renderfarm.lease.stage.duration", "Time of one lease in one stage, by model, card and stage.", "s")
        { Buckets = RenderSeconds };

    public static readonly Instrument LeaseStepDuration =
        new("renderfarm.lease.step.duration", "Median denoise step of one lease, by model and card.", "s") { Buckets = StepSeconds };

    public static readonly Instrument LeasePeakPredicted =
        new("renderfarm.lease.peak.predicted", "Predicted peak memory of the lease that ended last, by model and card.", "By");

    public static readonly Instrument LeasePeakMeasured =
        new("renderfarm.lease.peak.measured", "Measured peak memory of the lease that ended last, by model and card.", "By");
}
