using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Leasing;

/// <summary>
/// What workers do with jobs. A lease is granted by the database's clock under a fence that grows with every lease; every
/// later report carries fence and token and does nothing unless they are still the job's newest. A null answer is
/// <c>lease_lost</c>: the worker must stop at once.
/// </summary>
public sealed class LeaseDesk(
    JobDatabase database,
    WorkerRegistry workers,
    JobSignal signal,
    LeaseEndings endings,
    PlanCorrections corrections,
    LeaseSettings settings,
    TimeProvider time
)
{
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>How often a waiting poll looks on its own, in case that a signal was missed.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(3);

    /// <summary>The best job that the slot can run; where there is none, waits for one as long as the request says.</summary>
    public async Task<LeaseResult> LeaseAsync(LeaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var started = time.GetTimestamp();
        var wait = TimeSpan.FromSeconds(Math.Clamp(request.WaitSeconds, 0, LongestWait.TotalSeconds));
        while (true)
        {
            // Read anew each time round: the worker may have been drained or may have registered more models
            var worker = await workers.FindAsync(request.WorkerId, cancellationToken);
            var slot = worker?.Slots.FirstOrDefault(s => s.Id == request.SlotId);
            if (worker is null || slot is null)
            {
                return new LeaseResult.UnknownWorker();
            }

            if (worker.Instance != request.Instance)
            {
                return new LeaseResult.Superseded(worker.Name, worker.Host);
            }

            await workers.SeenAsync(worker.Id, cancellationToken);

            // Listening starts before the look, so that a job which arrives in between is not missed
            using var watcher = signal.Watch(worker.Models, VramClasses.Offered(slot.Kind, request.FreeBytes)[^1]);
            if (!worker.Draining && worker.Models.Count > 0 && worker.QuarantineOf(slot.Id) is null)
            {
                var fleet = await workers.FleetAsync(cancellationToken);
                try
                {
                    var job = await database.WriteAsync(
                        db =>
                            LeaseQueue.TakeAsync(
                                db,
                                request,
                                worker,
                                slot,
                                fleet,
                                settings.LeaseSeconds,
                                time.GetUtcNow(),
                                cancellationToken
                            ),
                        cancellationToken
                    );
                    if (job is not null)
                    {
                        return new LeaseResult.Granted(job with { Corrections = await corrections.OfAsync(job, slot, worker.Version) });
                    }
                }
                catch (RunningQuotaMetException)
                {
                    // Another slot was given this key's last place at the same moment; its jobs are now passed over
                    continue;
                }
            }
            var left = wait - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                return new LeaseResult.Nothing();
            }

            await watcher.WaitAsync(left < LookEvery ? left : LookEvery, cancellationToken);
        }
    }

    /// <summary>
    /// Extends the lease and notes how far the job is. The first report of work makes it <c>rendering</c>, the stage of that name
    /// <c>uploading</c>.
    /// </summary>
    public async Task<RenewReply?> RenewAsync(Reported<RenewRequest> reported, CancellationToken cancellationToken)
    {
        var (lease, request) = (reported.Lease, reported.Report);
        var held = await database.WriteAsync(
            async db =>
            {
                var renewed = await ExtendAsync(db, lease, request, cancellationToken);
                if (renewed is null && await LeaseRevival.TryAsync(db, lease, settings.LeaseSeconds, time.GetUtcNow(), cancellationToken))
                {
                    renewed = await ExtendAsync(db, lease, request, cancellationToken);
                }

                if (renewed is not null)
                {
                    await NoteAsync(db, lease, request, cancellationToken);
                }

                return renewed;
            },
            cancellationToken
        );
        if (held is not var (renewed, seconds))
        {
            return null;
        }

        await workers.SeenAsync(renewed.WorkerId, cancellationToken);
        return new RenewReply
        {
            LeaseSeconds = seconds,
            Cancel = renewed.CancelRequested,
            Drain = renewed.Draining,
        };
    }

    /// <summary>
    /// Whether the next report under this lease would be taken: it is held, or was lost and would be revived. Changes nothing.
    /// </summary>
    public Task<bool> StandsAsync(LeaseId lease, CancellationToken cancellationToken)
    {
        var token = lease.Token.Secret;
        return database.ReadAsync(
            async db =>
                await db
                    .Jobs.Where(JobTransitions.IsHeld)
                    .AnyAsync(j => j.Id == lease.JobId && j.Fence == lease.Fence && j.Token == token, cancellationToken)
                || await LeaseRevival.IsPossibleAsync(db, lease, cancellationToken),
            cancellationToken
        );
    }

    /// <inheritdoc cref="LeaseEndings.CompleteAsync"/>
    public Task<LeaseOutcome?> CompleteAsync(Reported<CompleteRequest> reported, CancellationToken cancellationToken) =>
        endings.CompleteAsync(reported, cancellationToken);

    /// <inheritdoc cref="LeaseEndings.FailAsync"/>
    public Task<LeaseOutcome?> FailAsync(Reported<FailRequest> reported, CancellationToken cancellationToken) =>
        endings.FailAsync(reported, cancellationToken);

    /// <inheritdoc cref="LeaseEndings.ReleaseAsync"/>
    public Task<LeaseOutcome?> ReleaseAsync(Reported<ReleaseRequest> reported, CancellationToken cancellationToken) =>
        endings.ReleaseAsync(reported, cancellationToken);

    private static JobState StateAt(RenderStage stage) =>
        stage switch
        {
            RenderStage.Queued => JobState.Leased,
            RenderStage.Uploading or RenderStage.Done => JobState.Uploading,
            _ => JobState.Rendering,
        };

    private double SecondsAt(JobState state) => state == JobState.Uploading ? settings.UploadLeaseSeconds : settings.LeaseSeconds;

    private async Task<(HeldLease Held, double Seconds)?> ExtendAsync(
        JobsDbContext db,
        LeaseId lease,
        RenewRequest request,
        CancellationToken cancellationToken
    )
    {
        var state = StateAt(request.Stage);
        var progress = new JobProgress(request.Stage, request.Step, request.Steps);
        if (await StayAsync(state, progress) is { } there)
        {
            return there;
        }

        // Not there yet: this report moves the job on
        if (
            state != JobState.Leased
            && await JobTransitions.AdvanceAsync(db, lease, state, progress, SecondsAt(state), cancellationToken) is { } moved
        )
        {
            await MovedAsync(db, lease, state, cancellationToken);
            return (moved, SecondsAt(state));
        }

        // Past it already: a report from before the upload came late; the lease is extended, the state stays
        if (await StayAsync(JobState.Uploading, progress with { Stage = RenderStage.Uploading }) is { } uploading)
        {
            return uploading;
        }

        return state == JobState.Leased ? await StayAsync(JobState.Rendering, progress with { Stage = RenderStage.Loading }) : null;

        async Task<(HeldLease, double)?> StayAsync(JobState at, JobProgress told) =>
            await JobTransitions.StayAsync(db, lease, at, told, SecondsAt(at), cancellationToken) is { } held
                ? (held, SecondsAt(at))
                : null;
    }

    private async Task MovedAsync(JobsDbContext db, LeaseId lease, JobState state, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await JobTransitions.NoteStartAsync(db, lease.JobId, now, cancellationToken);
        var begun = await db.ExecuteAsync(
            $"UPDATE lease_records SET rendering_at = @now WHERE {LeaseRecordRow.OfLease} AND rendering_at IS NULL",
            cancellationToken,
            ("id", lease.JobId),
            ("fence", lease.Fence),
            ("token", lease.Token.Secret),
            ("now", db.Dialect.Time(now))
        );
        if (begun == 1 && state == JobState.Rendering)
        {
            await Outbox.AddAsync(db, lease.JobId, VideoEvent.Started, now, cancellationToken);
        }
    }

    private static async Task NoteAsync(JobsDbContext db, LeaseId lease, RenewRequest request, CancellationToken cancellationToken)
    {
        if (request.Plan is { } plan)
        {
            await db.ExecuteAsync(
                $"""
                UPDATE lease_records SET
                    plan = @plan, plan_kind = @kind, predicted_peak_bytes = @peak, predicted_step_seconds = @step_seconds
                WHERE {LeaseRecordRow.OfLease}
                """,
                cancellationToken,
                ("id", lease.JobId),
                ("fence", lease.Fence),
                ("token", lease.Token.Secret),
                ("plan", JsonSerializer.Serialize(plan, ContractsJson.Default.RenderPlan)),
                ("kind", plan.Kind),
                ("peak", plan.UncorrectedPeakBytes ?? plan.PredictedPeakBytes),
                ("step_seconds", plan.UncorrectedStepSeconds ?? plan.PredictedStepSeconds)
            );
        }

        if (request.Measurements is { } figures)
        {
            await db.ExecuteAsync(
                $"UPDATE lease_records SET measurements = @figures WHERE {LeaseRecordRow.OfLease}",
                cancellationToken,
                ("id", lease.JobId),
                ("fence", lease.Fence),
                ("token", lease.Token.Secret),
                ("figures", JsonSerializer.Serialize(figures, ContractsJson.Default.Measurements))
            );
        }
    }
}
