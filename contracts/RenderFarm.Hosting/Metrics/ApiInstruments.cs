namespace RenderFarm.Hosting.Metrics;

/// <summary>The figures of the API: queues, from the store, and what the endings of leases report of renders.</summary>
public static class ApiInstruments
{
    public const string Meter = "RenderFarm.Api";

    private static readonly double[] RenderSeconds = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1200, 2400, 4800, 9600];
    private static readonly double[] StepSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128];
    private static readonly double[] AnswerSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
    private static readonly double[] Ratios = [0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 4, 8];

    public static readonly Instrument Submissions =
        new("renderfarm.submissions", "Videos submitted, by model, class of the key and result.");

    public static readonly Instrument Jobs = new("renderfarm.jobs", "Jobs by state.");

    public static readonly Instrument QueueDepth =
        new("renderfarm.queue.depth", "Queued jobs by model, VRAM class and class of the key.");

    public static readonly Instrument QueueOldestAge =
        new("renderfarm.queue.oldest.age", "Age of the oldest queued job by model, VRAM class and class of the key.", "s");

    public static readonly Instrument QueueWork =
        new("renderfarm.queue.work", "Estimated render time that waits, by model, VRAM class and class of the key.", "s");

    public static readonly Instrument QueueSlots =
        new("renderfarm.queue.slots", "Slots that take jobs of a queue with work, by model and VRAM class: 0 when nobody will come.");

    public static readonly Instrument QueuePaused =
        new("renderfarm.queue.paused", "Pauses that hold jobs back, by model: 'all' where a pause names none.");

    public static readonly Instrument QueueHeld =
        new(
            "renderfarm.queue.held",
            "Queued jobs that a pause holds back, by model, VRAM class and class of the key; the other figures of the queue leave them out."
        );

    public static readonly Instrument LeaseWait =
        new("renderfarm.lease.wait", "From submission to the first lease, by model, VRAM class and class of the key.", "s")
        { Buckets = RenderSeconds };

    public static readonly Instrument LeasePromises =
        new(
            "renderfarm.lease.promises",
            "First leases, by model, VRAM class, class of the key and result: kept, late, or unserved (no start was promised)."
        );

    public static readonly Instrument Workers = new("renderfarm.workers", "Registered workers by state: live, draining, gone, stopped.");

    public static readonly Instrument Slots =
        new("renderfarm.slots", "Slots by worker and state: ready, draining, quarantined, gone, stopped.");

    public static readonly Instrument StoreUp = new("renderfarm.store.up", "1 while the job store answers.");
    public static readonly Instrument ArtifactsUp = new("renderfarm.artifacts.up", "1 while the artifact store answers.");

    public static readonly Instrument BrokerUp =
        new("renderfarm.broker.up", "1 while the API has its connection to the message broker; absent in a farm without one.");

    public static readonly Instrument CertificateRemaining =
        new("renderfarm.certificate.remaining", "Until the API's own TLS certificate is over; absent without one.", "s");

    public static readonly Instrument KeyRemaining =
        new("renderfarm.key.remaining", "Until the next API key ends, by class of the key; absent where none has an end.", "s");

    public static readonly Instrument OutboxPending =
        new("renderfarm.outbox.pending", "Events of videos that a reader has not had yet, by reader: the log itself, the broker.");

    public static readonly Instrument OutboxLag =
        new("renderfarm.outbox.lag", "Age of the oldest event that a reader has not had yet, by reader; 0 without any.", "s");

    public static readonly Instrument WebhookTries =
        new("renderfarm.webhook.tries", "Tries to deliver a webhook, by type of the event and result.");

    public static readonly Instrument WebhookDuration =
        new("renderfarm.webhook.duration", "Time of one try to deliver a webhook, by result.", "s") { Buckets = AnswerSeconds };

    public static readonly Instrument WebhookPending = new("renderfarm.webhook.pending", "Webhooks that are not delivered yet.");

    public static readonly Instrument WebhookOldestAge =
        new("renderfarm.webhook.oldest.age", "Since the event of the oldest webhook that is not delivered yet; 0 without any.", "s");

    public static readonly Instrument LoopDegraded =
        new("renderfarm.loop.degraded", "1 while a loop of the API fails and is begun again, by loop.");

    public static readonly Instrument JanitorUnclaimed =
        new("renderfarm.janitor.unclaimed", "Stored objects that no row knows of, as the last sweep of the artifact store found them.");

    public static readonly Instrument JanitorUnclaimedSize =
        new("renderfarm.janitor.unclaimed.size", "Size of the stored objects that no row knows of.", "By");

    public static readonly Instrument JanitorHeldBack =
        new("renderfarm.janitor.held_back", "Objects of lost leases that stay because they are too many to be right: the brake is on.");

    public static readonly Instrument LeasePolls =
        new("renderfarm.lease.polls", "Slots that are waiting for work in a long poll.");

    public static readonly Instrument LeaseEndings =
        new("renderfarm.lease.endings", "Ended leases, by model, ending and reason.");

    public static readonly Instrument LeasesLost =
        new(
            "renderfarm.leases.lost",
            "Leases that ran out, by model, worker and whether that worker was heard of meanwhile: alive, silent."
        );

    public static readonly Instrument LeasesRevived =
        new("renderfarm.leases.revived", "Leases that were taken for lost and whose worker came back before another took the job.");

    public static readonly Instrument Retries =
        new("renderfarm.retries", "Attempts that failed and whose job waits again, by model and reason.");

    public static readonly Instrument ReportsSuperseded =
        new("renderfarm.reports.superseded", "Reports under a lease that was no longer the job's, by report: refused.");

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

    public static readonly Instrument PredictionPeak =
        new("renderfarm.prediction.peak.ratio", "Measured by predicted peak memory of a lease, by model and card.", "1")
        { Buckets = Ratios };

    public static readonly Instrument PredictionStep =
        new("renderfarm.prediction.step.ratio", "Measured by predicted denoise step of a lease, by model and card.", "1")
        { Buckets = Ratios };

    public static readonly Instrument PredictionDuration =
        new("renderfarm.prediction.duration.ratio", "Taken by predicted time of a completed lease, by model and card.", "1")
        { Buckets = Ratios };
}
