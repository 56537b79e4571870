using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Leasing;

/// <summary>
/// What workers do with jobs. A lease is granted by the database's clock under a fence that grows with every lease; every
/// later report carries the fence and does nothing unless it is still the job's newest. A null answer is <c>lease_lost</c>:
/// the worker must stop at once.
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

            await workers.SeenAsync(worker.Id, cancellationToken);

            // Listening starts before the look, so that a job which arrives in between is not missed
            using var watcher = signal.Watch(worker.Models, VramClasses.Offered(slot.Kind, request.FreeBytes)[^1]);
            if (!worker.Draining && worker.Models.Count > 0)
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

    /// <summary>Extends the lease and notes how far the job is. The first report of work makes it <c>rendering</c>, the stage of that name
    /// <c>uploading</c>.</summary>
    public async Task<RenewReply?> RenewAsync(string jobId, RenewRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var renewed = await database.WriteAsync(
            async db =>
            {
                var state = StateAt(request.Stage);
                var renewed = await TryRenewAsync(db, jobId, request, state, [state], cancellationToken);
                if (renewed is null)
                {
                    // Not there yet: this report moves the job on
                    renewed = await TryRenewAsync(db, jobId, request, state, Before(state), cancellationToken);
                    if (renewed is not null)
                    {
                        await MovedAsync(db, jobId, request.Fence, state, cancellationToken);
                    }
                }
                // Past it already: a report from before the upload came late; the lease is extended, the state stays
                renewed ??= await TryRenewAsync(
                    db,
                    jobId,
                    request with
                    {
                        Stage = RenderStage.Uploading,
                    },
                    JobState.Uploading,
                    [JobState.Uploading],
                    cancellationToken
                );
                renewed ??=
                    state == JobState.Leased
                        ? await TryRenewAsync(
                            db,
                            jobId,
                            request with
                            {
                                Stage = RenderStage.Loading,
                            },
                            JobState.Rendering,
                            [JobState.Rendering],
                            cancellationToken
                        )
                        : null;
                if (renewed is not null)
                {
                    await NoteAsync(db, jobId, request, cancellationToken);
                }

                return renewed;
            },
            cancellationToken
        );
        if (renewed is null)
        {
            return null;
        }

        await workers.SeenAsync(renewed.WorkerId, cancellationToken);
        return renewed.Reply;
    }

    /// <inheritdoc cref="LeaseEndings.CompleteAsync"/>
    public Task<LeaseOutcome?> CompleteAsync(string jobId, CompleteRequest request, CancellationToken cancellationToken) =>
        endings.CompleteAsync(jobId, request, cancellationToken);

    /// <inheritdoc cref="LeaseEndings.FailAsync"/>
    public Task<LeaseOutcome?> FailAsync(string jobId, FailRequest request, CancellationToken cancellationToken) =>
        endings.FailAsync(jobId, request, cancellationToken);

    /// <inheritdoc cref="LeaseEndings.ReleaseAsync"/>
    public Task<LeaseOutcome?> ReleaseAsync(string jobId, ReleaseRequest request, CancellationToken cancellationToken) =>
        endings.ReleaseAsync(jobId, request, cancellationToken);

    private static JobState StateAt(RenderStage stage) =>
        stage switch
        {
            RenderStage.Queued => JobState.Leased,
            RenderStage.Uploading or RenderStage.Done => JobState.Uploading,
            _ => JobState.Rendering,
        };

    private static JobState[] Before(JobState state) =>
        state switch
        {
            JobState.Rendering => [JobState.Leased],
            JobState.Uploading => [JobState.Leased, JobState.Rendering],
            _ => [],
        };

    private async Task<Renewed?> TryRenewAsync(
        JobsDbContext db,
        string jobId,
        RenewRequest request,
        JobState to,
        JobState[] from,
        CancellationToken cancellationToken
    )
    {
        if (from.Length == 0)
        {
            return null;
        }

        var seconds = to == JobState.Uploading ? settings.UploadLeaseSeconds : settings.LeaseSeconds;
        var rows = await db.RowsAsync(
            $"""
            UPDATE jobs
            SET state = @to, lease_until = {db.Dialect.NowPlus("@seconds")}, stage = @stage,
                step = {db.Dialect.Greatest}(step, @step), steps = {db.Dialect.Greatest}(steps, @steps)
            WHERE id = @id AND fence = @fence AND state IN ({string.Join(", ", from.Select(state => $"'{Word.Of(state)}'"))})
            RETURNING lease_worker_id, cancel_requested_at IS NOT NULL, COALESCE((SELECT draining FROM workers
                WHERE id = lease_worker_id), FALSE)
            """,
            row => new Renewed(
                row.GetString(0),
                new RenewReply
                {
                    LeaseSeconds = seconds,
                    Cancel = row.GetBoolean(1),
                    Drain = row.GetBoolean(2),
                }
            ),
            cancellationToken,
            ("id", jobId),
            ("fence", request.Fence),
            ("to", Word.Of(to)),
            ("seconds", seconds),
            ("stage", Word.Of(request.Stage)),
            ("step", request.Step),
            ("steps", request.Steps)
        );
        return rows.SingleOrDefault();
    }

    private async Task MovedAsync(JobsDbContext db, string jobId, long fence, JobState state, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await db.ExecuteAsync(
            "UPDATE jobs SET started_at = COALESCE(started_at, @now) WHERE id = @id",
            cancellationToken,
            ("id", jobId),
            ("now", db.Dialect.Time(now))
        );
        var begun = await db.ExecuteAsync(
            "UPDATE lease_records SET rendering_at = @now WHERE job_id = @id AND fence = @fence AND rendering_at IS NULL",
            cancellationToken,
            ("id", jobId),
            ("fence", fence),
            ("now", db.Dialect.Time(now))
        );
        if (begun == 1 && state == JobState.Rendering)
        {
            await Outbox.AddAsync(db, jobId, Outbox.Started, now, cancellationToken);
        }
    }

    private static async Task NoteAsync(JobsDbContext db, string jobId, RenewRequest request, CancellationToken cancellationToken)
    {
        if (request.Plan is { } plan)
        {
            await db.ExecuteAsync(
                """
                UPDATE lease_records SET plan = @plan, plan_kind = @kind, predicted_peak_bytes = @peak, predicted_step_seconds =
                    @step_seconds
                WHERE job_id = @id AND fence = @fence
                """,
                cancellationToken,
                ("id", jobId),
                ("fence", request.Fence),
                ("plan", JsonSerializer.Serialize(plan, ContractsJson.Default.RenderPlan)),
                ("kind", plan.Kind),
                ("peak", plan.UncorrectedPeakBytes ?? plan.PredictedPeakBytes),
                ("step_seconds", plan.UncorrectedStepSeconds ?? plan.PredictedStepSeconds)
            );
        }

        if (request.Measurements is { } figures)
        {
            await db.ExecuteAsync(
                "UPDATE lease_records SET measurements = @figures WHERE job_id = @id AND fence = @fence",
                cancellationToken,
                ("id", jobId),
                ("fence", request.Fence),
                ("figures", JsonSerializer.Serialize(figures, ContractsJson.Default.Measurements))
            );
        }
    }

    private sealed record Renewed(string WorkerId, RenewReply Reply);
}
