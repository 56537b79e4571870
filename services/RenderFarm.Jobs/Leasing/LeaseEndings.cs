using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Retries;

namespace RenderFarm.Jobs.Leasing;

/// <summary>
/// The endings of a lease. Each happens once: what follows is decided from the row, and written only if fence and cancel
/// wish are still what the decision was made from. A repeat, after a lost reply, is told the recorded outcome.
/// </summary>
public sealed class LeaseEndings(JobDatabase database, RetryPolicy retries, JobAnnouncer announcer, TimeProvider time)
{
    /// <summary>Leases of one job that ran out without a renewal, before such a loss counts as a death.</summary>
    public const int MostUntaken = 5;

    /// <summary>The objects under this fence are the result. A result that is there wins over a cancel wish that came too late.</summary>
    /// <exception cref="ArgumentException">An artifact's key is not under this job and fence.</exception>
    public Task<LeaseOutcome?> CompleteAsync(string jobId, CompleteRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var folder = $"videos/{jobId}/{request.Fence}/";
        if (request.Artifacts.FirstOrDefault(a => !a.Key.StartsWith(folder, StringComparison.Ordinal)) is { } stray)
        {
            throw new ArgumentException($"artifacts: the key {stray.Key} must begin with {folder}", nameof(request));
        }

        return EndAsync(
            jobId,
            request.Fence,
            job => new Ending(LeaseEnding.Completed, JobState.Completed, TallyOf(job) with { Deaths = 0 })
            {
                Result = request,
                Measurements = request.Measurements,
                LogTail = request.LogTail,
            },
            onlyIfExpired: false,
            cancellationToken
        );
    }

    /// <summary>Tries again or gives up, as the reason says; see <see cref="RetryPolicy"/>.</summary>
    public Task<LeaseOutcome?> FailAsync(string jobId, FailRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return EndAsync(
            jobId,
            request.Fence,
            job =>
                AfterFailure(job, LeaseEnding.Failed, request.Reason, request.Message, request.Progressed) with
                {
                    Measurements = request.Measurements,
                    LogTail = request.LogTail,
                },
            onlyIfExpired: false,
            cancellationToken
        );
    }

    /// <summary>Back to the queue, no attempt burnt.</summary>
    public Task<LeaseOutcome?> ReleaseAsync(string jobId, ReleaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return EndAsync(
            jobId,
            request.Fence,
            job => new Ending(LeaseEnding.Released, job.CancelRequestedAt is null ? JobState.Queued : JobState.Cancelled, TallyOf(job))
            {
                Message = request.Reason,
            },
            onlyIfExpired: false,
            cancellationToken
        );
    }

    /// <summary>The lease ran out. Null when it has been renewed or ended in the meantime.</summary>
    internal async Task<LeaseOutcome?> LoseAsync(string jobId, long fence, CancellationToken cancellationToken)
    {
        var untaken = await database.ReadAsync(
            db =>
                db.LeaseRecords.CountAsync(
                    r => r.JobId == jobId && r.Ending == LeaseEnding.Lost && r.RenderingAt == null,
                    cancellationToken
                ),
            cancellationToken
        );
        return await EndAsync(
            jobId,
            fence,
            job =>
                job.State == JobState.Leased && untaken < MostUntaken
                    ? NeverTakenUp(job)
                    : AfterFailure(
                        job,
                        LeaseEnding.Lost,
                        FailureReason.WorkerLost,
                        $"Worker {job.LeaseWorkerId} was not heard of until its lease ran out.",
                        false
                    ),
            onlyIfExpired: true,
            cancellationToken
        );
    }

    /// <summary>
    /// The grant did not arrive, or was not the worker's any more when it did: nothing was tried, so nothing has failed.
    /// A job that does this again and again may be what kills its workers, and counts from then on.
    /// </summary>
    private static Ending NeverTakenUp(JobRow job) =>
        new(LeaseEnding.Lost, job.CancelRequestedAt is null ? JobState.Queued : JobState.Cancelled, TallyOf(job))
        {
            Message = $"Worker {job.LeaseWorkerId} never took up the lease it was granted.",
        };

    private static Tally TallyOf(JobRow job) => new(job.Attempt, job.MaxAttempts, job.StepDowns, job.Deaths);

    private Ending AfterFailure(JobRow job, LeaseEnding ending, FailureReason reason, string message, bool progressed)
    {
        // A wish to stop is granted by any failure; nothing is tried again for nobody
        if (job.CancelRequestedAt is not null || reason == FailureReason.Cancelled)
        {
            return new Ending(ending, JobState.Cancelled, TallyOf(job)) { Reason = reason, Message = message };
        }

        return retries.Decide(reason, TallyOf(job), progressed || job.Step > job.BestStep) switch
        {
            RetryDecision.Again again => new Ending(ending, JobState.Queued, again.Tally)
            {
                Reason = reason,
                Message = message,
                RetryAfter = again.After,
            },
            RetryDecision.Final final => new Ending(ending, JobState.Failed, final.Tally)
            {
                Reason = reason,
                Message = message,
                ErrorCode = final.ErrorCode,
            },
            var other => throw new InvalidOperationException($"{other} is no decision"),
        };
    }

    private async Task<LeaseOutcome?> EndAsync(
        string jobId,
        long fence,
        Func<JobRow, Ending> decide,
        bool onlyIfExpired,
        CancellationToken cancellationToken
    )
    {
        var (outcome, again) = await database.WriteAsync<(LeaseOutcome?, JobRow?)>(
            async db =>
            {
                while (true)
                {
                    var job = await db
                        .Jobs.AsNoTracking()
                        .SingleOrDefaultAsync(
                            j =>
                                j.Id == jobId
                                && j.Fence == fence
                                && (j.State == JobState.Leased || j.State == JobState.Rendering || j.State == JobState.Uploading),
                            cancellationToken
                        );
                    if (job is null)
                    {
                        return (await RecordedAsync(db, jobId, fence, cancellationToken), null);
                    }

                    var ending = decide(job);
                    if (!await WriteAsync(db, job, ending, onlyIfExpired, cancellationToken))
                    {
                        // A cancel wish or a renewal came in between: look again; a renewed lease is not lost after all
                        if (onlyIfExpired)
                        {
                            return (null, null);
                        }

                        continue;
                    }
                    await RecordAsync(db, job, ending, cancellationToken);
                    await Outbox.AddAsync(db, jobId, Outbox.TypeOf(ending.State)!, time.GetUtcNow(), cancellationToken);
                    var offered = ending.State == JobState.Queued && ending.RetryAfter == TimeSpan.Zero;
                    if (offered)
                    {
                        await JobAnnouncer.NotifyAsync(db, job.Model, job.VramClass, announcer.Sender, cancellationToken);
                    }

                    return (ending.Outcome, offered ? job : null);
                }
            },
            cancellationToken
        );
        if (again is not null)
        {
            announcer.Committed(again.Id, again.Model, again.VramClass);
        }

        return outcome;
    }

    /// <summary>What a repeat is told; null when this lease ran out, or never was.</summary>
    private static async Task<LeaseOutcome?> RecordedAsync(JobsDbContext db, string jobId, long fence, CancellationToken cancellationToken)
    {
        var record = await db
            .LeaseRecords.AsNoTracking()
            .SingleOrDefaultAsync(r => r.JobId == jobId && r.Fence == fence, cancellationToken);
        return record is { Ending: not null and not LeaseEnding.Lost, OutcomeState: { } state }
            ? new LeaseOutcome(state, record.RetryAfterSeconds)
            : null;
    }

    private async Task<bool> WriteAsync(
        JobsDbContext db,
        JobRow job,
        Ending ending,
        bool onlyIfExpired,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        DateTimeOffset? expires = ending.Result is not null && job.ExpiresAfterSeconds is { } keep ? now.AddSeconds(keep) : null;
        var requeued = ending.State == JobState.Queued;
        var changed = await db.ExecuteAsync(
            $"""
            UPDATE jobs SET
                state = @state, stage = @stage, lease_worker_id = NULL, lease_slot_id = NULL, lease_until = NULL,
                attempt = @failures, step_downs = @step_downs, deaths = @deaths,
                best_step = {db.Dialect.Greatest}(best_step, step), rung_at = NULL,
                not_before = CASE WHEN @after > 0 THEN {db.Dialect.NowPlus("@after")} ELSE NULL END,
                queued_at = COALESCE(@queued, queued_at), finished_at = @finished, expires_at = @expires,
                error_code = @error_code, error_message = @error_message, warning = @warning,
                winning_fence = @winning, artifacts = @artifacts
            WHERE id = @id AND fence = @fence AND state IN ('leased', 'rendering', 'uploading')
              AND (cancel_requested_at IS NOT NULL) = @cancel {(onlyIfExpired ? $"AND lease_until < {db.Dialect.Now}" : "")}
            """,
            cancellationToken,
            ("id", job.Id),
            ("fence", job.Fence),
            ("cancel", job.CancelRequestedAt is not null),
            ("state", Word.Of(ending.State)),
            (
                "stage",
                Word.Of(
                    requeued ? RenderStage.Queued
                    : ending.Result is null ? job.Stage
                    : RenderStage.Done
                )
            ),
            ("failures", ending.Tally.Failures),
            ("step_downs", ending.Tally.StepDowns),
            ("deaths", ending.Tally.Deaths),
            ("after", ending.RetryAfter.TotalSeconds),
            ("queued", requeued ? db.Dialect.Time(now) : null),
            ("finished", requeued ? null : db.Dialect.Time(now)),
            ("expires", expires is { } at ? db.Dialect.Time(at) : null),
            ("error_code", ending.ErrorCode),
            ("error_message", ending.ErrorCode is null ? null : ending.Message),
            ("warning", ending.Result?.Warning),
            ("winning", ending.Result is null ? null : job.Fence),
            (
                "artifacts",
                ending.Result is { } done ? JsonSerializer.Serialize(done.Artifacts.ToArray(), ContractsJson.Default.ArtifactArray) : null
            )
        );
        return changed == 1;
    }

    private Task RecordAsync(JobsDbContext db, JobRow job, Ending ending, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            """
            UPDATE lease_records SET
                ended_at = @now, ending = @ending, reason = @reason, message = @message, outcome_state = @state,
                    retry_after_seconds = @after,
                measurements = COALESCE(@figures, measurements), log_tail = @log, peak_bytes = @peak, step_seconds = @step_seconds
            WHERE job_id = @id AND fence = @fence
            """,
            cancellationToken,
            ("id", job.Id),
            ("fence", job.Fence),
            ("now", db.Dialect.Time(time.GetUtcNow())),
            ("ending", Word.Of(ending.Kind)),
            ("reason", ending.Reason is { } reason ? Word.Of(reason) : null),
            ("message", ending.Message),
            ("state", Word.Of(ending.State)),
            ("after", ending.Outcome.RetryAfterSeconds),
            ("figures", ending.Measurements is { } figures ? JsonSerializer.Serialize(figures, ContractsJson.Default.Measurements) : null),
            ("log", ending.LogTail),
            ("peak", PeakOf(ending)),
            ("step_seconds", ending.Measurements?.StepSeconds)
        );

    /// <summary>Out of memory, it would have been at least what was there and what was asked for on top.</summary>
    private static long? PeakOf(Ending ending) =>
        ending.Measurements is not { PeakBytes: { } peak } measured ? null
        : ending.Reason == FailureReason.GpuOutOfMemory ? peak + (measured.RequestedBytes ?? 0)
        : peak;

    private sealed record Ending(LeaseEnding Kind, JobState State, Tally Tally)
    {
        public FailureReason? Reason { get; init; }
        public string? Message { get; init; }
        public string? ErrorCode { get; init; }
        public TimeSpan RetryAfter { get; init; }
        public CompleteRequest? Result { get; init; }
        public Measurements? Measurements { get; init; }
        public string? LogTail { get; init; }
        public LeaseOutcome Outcome => new(State, State == JobState.Queued ? RetryAfter.TotalSeconds : null);
    }
}
