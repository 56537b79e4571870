namespace RenderFarm.Hosting.Metrics;

/// <summary>The figures of a worker: its slots, its attempts as they go on, its spool.</summary>
public static class WorkerInstruments
{
    public const string Meter = "RenderFarm.Worker";

    private static readonly double[] StageSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
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

    public static readonly Instrument SlotTemperature = new("renderfarm.slot.temperature", "Temperature of the card.", "Cel");
    public static readonly Instrument SlotPower = new("renderfarm.slot.power", "Power the card draws.", "W");

    public static readonly Instrument LoopDegraded =
        new("renderfarm.worker.loop.degraded", "1 while a loop of the worker fails and is begun again, by loop.");

    public static readonly Instrument SpoolEntries =
        new("renderfarm.spool.entries", "Finished videos that wait for their upload.");

    public static readonly Instrument SpoolBytes =
        new("renderfarm.spool.bytes", "Size of the finished videos that wait for their upload.", "By");
}
