namespace RenderFarm.Hosting.Metrics;

/// <summary>The figures of a worker: its slots, its attempts as they go on, its spool.</summary>
public static class WorkerInstruments
{
    public const string Meter = "RenderFarm.Worker";

    private static readonly double[] StageSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
    private static readonly double[] UploadSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400];
    private static readonly double[] StepSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120];

    public static readonly Instrument Attempts = new("renderfarm.attempts", "Attempts by model, outcome and reason.");
    public static readonly Instrument LeaseRequests = new("renderfarm.lease.requests", "Requests for work by result.");
    public static readonly Instrument LeaseRenewals = new("renderfarm.lease.renewals", "Lease renewals by result.");

    public static readonly Instrument RendersDiscarded =
        new("renderfarm.renders.discarded", "Renders, finished or not, that were thrown away with their lease, by model and reason.");

    public static readonly Instrument StageDuration =
        new("renderfarm.stage.duration", "Time of a render in one stage, when it leaves it, by model and stage.", "s")
        { Buckets = StageSeconds };

    public static readonly Instrument StepDuration =
        new("renderfarm.step.duration", "Every denoise step, by model.", "s") { Buckets = StepSeconds };

    public static readonly Instrument FirstStepDuration =
        new(
            "renderfarm.first_step.duration",
            "From a lease to the first denoise step, by model and start: cold (weights were prepared), warm, standby (they were near).",
            "s"
        )
        { Buckets = StageSeconds };

    public static readonly Instrument StepPredicted =
        new("renderfarm.step.predicted", "Denoise step that the last plan predicted, by model and slot.", "s");

    public static readonly Instrument StepMeasured =
        new("renderfarm.step.measured", "The newest denoise step, by model and slot.", "s");

    public static readonly Instrument RendererStartDuration =
        new("renderfarm.renderer.start.duration", "From a renderer's start to its being ready for an order, by slot.", "s")
        { Buckets = StageSeconds };

    public static readonly Instrument OutOfMemory =
        new("renderfarm.out_of_memory", "Renders that ran out of memory, by model, precision of the plan and memory: gpu, host.");

    public static readonly Instrument MemoryUnreclaimed =
        new("renderfarm.memory.unreclaimed", "Memory of a quarantined card that its last job did not give back, by slot; else 0.", "By");

    public static readonly Instrument WeightCacheRequests =
        new("renderfarm.weight_cache.requests", "Renders that look for prepared weights on their host, by model and result: hit, miss.");

    public static readonly Instrument WeightCacheSize =
        new("renderfarm.weight_cache.size", "Prepared weights on this host.", "By");

    public static readonly Instrument WeightCacheLimit =
        new("renderfarm.weight_cache.limit", "What prepared weights may take of this host.", "By");

    public static readonly Instrument Streamed =
        new("renderfarm.streamed", "Weights that were streamed to the card, as planned for the steps that were done, by model.", "By");

    public static readonly Instrument StandbyLoaded =
        new("renderfarm.standby.loaded", "1 while the slot's next renderer has the weights of its last model near.");

    public static readonly Instrument PeakPredicted =
        new("renderfarm.peak.predicted", "Peak memory that the last plan predicted, by model and slot.", "By");

    public static readonly Instrument PeakMeasured =
        new("renderfarm.peak.measured", "Peak memory that the last render took, by model and slot.", "By");

    public static readonly Instrument SlotBusy = new("renderfarm.slot.busy", "1 while the slot renders.");

    public static readonly Instrument SlotMemoryTotal =
        new("renderfarm.slot.memory.total", "Device memory of a card, host memory of a CPU slot.", "By");

    public static readonly Instrument SlotMemoryUsed = new("renderfarm.slot.memory.used", "Memory in use, by anyone.", "By");

    public static readonly Instrument SlotQuarantined =
        new("renderfarm.slot.quarantined", "1 while the slot takes no jobs because its card or the video encoder is at fault.");

    public static readonly Instrument SlotUtilization =
        new("renderfarm.slot.utilization", "Part of the last second in which the card computed, 0 to 1.");

    public static readonly Instrument SlotErrors =
        new("renderfarm.slot.errors", "Errors of its card that the driver reported, by slot and Xid.");

    public static readonly Instrument SlotTemperature = new("renderfarm.slot.temperature", "Temperature of the card.", "Cel");
    public static readonly Instrument SlotPower = new("renderfarm.slot.power", "Power the card draws.", "W");

    public static readonly Instrument LoopDegraded =
        new("renderfarm.worker.loop.degraded", "1 while a loop of the worker fails and is begun again, by loop.");

    public static readonly Instrument SpoolEntries =
        new("renderfarm.spool.entries", "Finished videos that wait for their upload.");

    public static readonly Instrument SpoolSize =
        new("renderfarm.spool.size", "Size of the finished videos that wait for their upload.", "By");

    public static readonly Instrument SpoolLimit =
        new("renderfarm.spool.limit", "Size of the finished videos from which no new jobs are taken.", "By");

    public static readonly Instrument SpoolOldestAge =
        new("renderfarm.spool.oldest.age", "Age of the finished video that waits longest for its upload; 0 without any.", "s");

    public static readonly Instrument DiskFree =
        new("renderfarm.disk.free", "Free space where attempts and finished videos lie.", "By");

    public static readonly Instrument Uploads =
        new("renderfarm.uploads", "Tries to store a file of a finished video, by kind and result: stored, retried, refused.");

    public static readonly Instrument UploadDuration =
        new("renderfarm.upload.duration", "Of one file, from the first request for links to its being an object, by kind.", "s")
        { Buckets = UploadSeconds };

    public static readonly Instrument UploadSize = new("renderfarm.upload.size", "Bytes of stored files, by kind.", "By");

    public static readonly Instrument BrokerUp =
        new("renderfarm.worker.broker.up", "1 while the worker hears its queues at the message broker; absent in a farm without one.");
}
