using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Retries;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Leasing;

/// <summary>
/// The endings of a lease. Each happens once: what follows is decided from the row, and written only if lease and cancel
/// wish are still what the decision was made from. A repeat, after a lost reply, is told the recorded outcome.
/// </summary>
public sealed class LeaseEndings(
    JobDatabase database,
    RetryPolicy retries,
    JobAnnouncer announcer,
    SlotQuarantines quarantines,
    TimeProvider time
)
{
    /// <summary>
    /// A job that may have failed for its worker's sake goes to another for so long, if there is one. Not for ever: that one may be there
    /// and take no jobs.
    /// </summary>
    public static readonly TimeSpan Avoided = TimeSpan.FromMinutes(10);

    /// <summary>Leases of one job that ran out without a renewal, before such a loss counts as a death.</summary>
    public const int MostUntaken = 5;

    /// <summary>The objects under this lease are the result. A result that is there wins over a cancel wish that came too late.</summary>
    /// <exception cref="ArgumentException">An artifact's key is not under this lease.</exception>
    public Task<LeaseOutcome?> CompleteAsync(Reported<CompleteRequest> reported, CancellationToken cancellationToken)
    {
        var (lease, request) = (reported.Lease, reported.Report);
        var folder = ObjectKeys.Of(lease.Name);
        if (request.Artifacts.FirstOrDefault(a => !a.Key.StartsWith(folder, StringComparison.Ordinal)) is { } stray)
        {
            throw new ArgumentException($"artifacts: the key {stray.Key} must begin with {folder}", nameof(reported));
        }

        return EndAsync(
            lease,
            job => new Ending(LeaseEnding.Completed, JobState.Completed, TallyOf(job) with { Deaths = 0 })
            {
                Result = request,
                Measurements = request.Measurements,
                LogTail = request.LogTail,
            },
            ifExpired: null,
            cancellationToken
        );
    }

    /// <summary>Tries again or gives up, as the reason says; see <see cref="RetryPolicy"/>.</summary>
    public Task<LeaseOutcome?> FailAsync(Reported<FailRequest> reported, CancellationToken cancellationToken)
    {
        var request = reported.Report;
        return EndAsync(
            reported.Lease,
            job =>
                AfterFailure(job, LeaseEnding.Failed, request.Reason, request.Message, request.Progressed) with
                {
                    Measurements = request.Measurements,
                    LogTail = request.LogTail,
                },
            ifExpired: null,
            cancellationToken
        );
    }

    /// <summary>Back to the queue, no attempt burnt.</summary>
    public Task<LeaseOutcome?> ReleaseAsync(Reported<ReleaseRequest> reported, CancellationToken cancellationToken) =>
        EndAsync(
            reported.Lease,
            job => new Ending(LeaseEnding.Released, job.CancelRequestedAt is null ? JobState.Queued : JobState.Cancelled, TallyOf(job))
            {
                Message = reported.Report.Message ?? Word.Of(reported.Report.Reason),
            },
            ifExpired: null,
            cancellationToken
        );

    /// <summary>The lease ran out. Null when it has been renewed or ended in the meantime.</summary>
    /// <param name="counts">False: the farm was away, and it is not known whether the worker was.</param>
    /// <param name="alive">Who was heard of so lately could have renewed it.</param>
    internal async Task<LeaseOutcome?> LoseAsync(LeaseId lease, bool counts, TimeSpan alive, CancellationToken cancellationToken)
    {
        if (!counts)
        {
            return await EndAsync(
                lease,
                job => BackUnharmed(job, $"The lease of worker {job.LeaseWorkerId} ran out while the farm could not be reached."),
                ifExpired: alive,
                cancellationToken
            );
        }

        var untaken = await database.ReadAsync(
            db =>
                db.LeaseRecords.CountAsync(
                    r => r.JobId == lease.JobId && r.Ending == LeaseEnding.Lost && r.RenderingAt == null,
                    cancellationToken
                ),
            cancellationToken
        );
        return await EndAsync(
            lease,
            job =>
                job.State == JobState.Leased && untaken < MostUntaken
                    ? BackUnharmed(job, $"Worker {job.LeaseWorkerId} never took up the lease it was granted.")
                    : AfterFailure(
                        job,
                        LeaseEnding.Lost,
                        FailureReason.WorkerLost,
                        $"Worker {job.LeaseWorkerId} was not heard of until its lease ran out.",
                        false
                    ),
            ifExpired: alive,
            cancellationToken
        );
    }

    /// <summary>
    /// What the worker holds is taken from it and waits for another; nobody's failure. Unlike a lease that was lost it does not come back.
    /// </summary>
    internal async Task TakeBackAsync(string workerId, string why, CancellationToken cancellationToken)
    {
        var held = await database.ReadAsync(
            db =>
                db
                    .Jobs.AsNoTracking()
                    .Where(JobTransitions.IsHeld)
                    .Where(j => j.LeaseWorkerId == workerId)
                    .Select(j => new { j.Id, j.Fence, j.Token })
                    .ToListAsync(cancellationToken),
            cancellationToken
        );
        foreach (var job in held)
        {
            if (LeaseToken.TryParse(job.Token, out var token))
            {
                await EndAsync(
                    new LeaseId(job.Id, job.Fence, token),
                    row => BackUnharmed(row, why) with { Kind = LeaseEnding.Released },
                    ifExpired: null,
                    cancellationToken
                );
            }
        }
    }

    /// <summary>
    /// Lost, and no failure: the farm itself was away, or the grant did not arrive or was not the worker's any more when it did. A
    /// job whose grants are never taken up, again and again, may be what kills its workers, and counts from then on.
    /// </summary>
    private static Ending BackUnharmed(JobRow job, string message) =>
        new(LeaseEnding.Lost, job.CancelRequestedAt is null ? JobState.Queued : JobState.Cancelled, TallyOf(job))
        {
            Message = message,
        };

    private static Tally TallyOf(JobRow job) => new(job.Failures, job.MaxAttempts, job.StepDowns, job.Deaths);

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
                Avoided = ReasonRule.Of(reason).MayBeTheWorkers ? again.After + Avoided : TimeSpan.Zero,
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

    /// <param name="ifExpired">Set: only while it has run out; and then how lately its worker must have been heard of to be alive.</param>
    private async Task<LeaseOutcome?> EndAsync(
        LeaseId lease,
        Func<JobRow, Ending> decide,
        TimeSpan? ifExpired,
        CancellationToken cancellationToken
    )
    {
        var (outcome, again, toJudge) = await database.WriteAsync<(LeaseOutcome?, JobRow?, bool)>(
            async db =>
            {
                var token = lease.Token.Secret;
                while (true)
                {
                    var job = await db
                        .Jobs.AsNoTracking()
                        .Where(JobTransitions.IsHeld)
                        .SingleOrDefaultAsync(j => j.Id == lease.JobId && j.Fence == lease.Fence && j.Token == token, cancellationToken);
                    var now = time.GetUtcNow();
                    if (job is null)
                    {
                        if (ifExpired is null && await LeaseRevival.TryAsync(db, lease, seconds: 0, now, cancellationToken))
                        {
                            continue;
                        }

                        return (await RecordedAsync(db, lease, cancellationToken), null, false);
                    }

                    var ending = decide(job);
                    if (!await JobTransitions.EndAsync(db, job, ending.OfJob, now, ifExpired is not null, cancellationToken))
                    {
                        // A cancel wish or a renewal came in between: look again; a renewed lease is not lost after all
                        if (ifExpired is not null)
                        {
                            return (null, null, false);
                        }

                        continue;
                    }
                    if (ifExpired is { } alive)
                    {
                        db.Lost.Add(await LostAsync(db, job, ending, now - alive, cancellationToken));
                    }

                    await RecordAsync(db, job, ending, now, cancellationToken);
                    var judge = await NoteAsync(db, job, ending, now, cancellationToken);
                    await Outbox.AddAsync(db, lease.JobId, Outbox.TypeOf(ending.State)!.Value, now, cancellationToken);
                    var offered = ending.State == JobState.Queued && ending.RetryAfter == TimeSpan.Zero;
                    if (offered)
                    {
                        await JobAnnouncer.NotifyAsync(db, job.Model, job.VramClass, announcer.Sender, cancellationToken);
                    }

                    return (ending.Outcome, offered ? job : null, judge);
                }
            },
            cancellationToken
        );
        if (toJudge)
        {
            await quarantines.JudgeAsync(cancellationToken);
        }

        if (again is not null)
        {
            announcer.Committed(new Announcement(again.Id, again.Fence, again.Model, again.VramClass));
        }

        return outcome;
    }

    private static async Task<LostLease> LostAsync(
        JobsDbContext db,
        JobRow job,
        Ending ending,
        DateTimeOffset aliveSince,
        CancellationToken cancellationToken
    )
    {
        var worker = await db
            .Workers.AsNoTracking()
            .Where(w => w.Id == job.LeaseWorkerId)
            .Select(w => new { Name = w.GivenName ?? w.Name, w.SeenAt })
            .SingleOrDefaultAsync(cancellationToken);
        return new LostLease(
            job.Model,
            worker?.Name ?? "unknown",
            worker?.SeenAt >= aliveSince,
            ending.Reason,
            ending.State == JobState.Queued
        );
    }

    /// <summary>For the record of the slot. A lease that ran out says nothing of it: the whole worker was away.</summary>
    /// <returns>True where other slots may have to be judged by it.</returns>
    private static async Task<bool> NoteAsync(
        JobsDbContext db,
        JobRow job,
        Ending ending,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (
            ending is { Kind: LeaseEnding.Failed, State: not JobState.Cancelled, Reason: { } reason }
            && ReasonRule.Of(reason).MayBeTheWorkers
        )
        {
            await SlotRecord.FailedAsync(db, job, now, cancellationToken);
        }

        return ending.Kind == LeaseEnding.Completed && await SlotRecord.CompletedAsync(db, job, cancellationToken);
    }

    /// <summary>What a repeat is told; null when this lease ran out, or never was.</summary>
    private static async Task<LeaseOutcome?> RecordedAsync(JobsDbContext db, LeaseId lease, CancellationToken cancellationToken)
    {
        var token = lease.Token.Secret;
        var record = await db
            .LeaseRecords.AsNoTracking()
            .SingleOrDefaultAsync(r => r.JobId == lease.JobId && r.Fence == lease.Fence && r.Token == token, cancellationToken);
        return record is { Ending: not null and not LeaseEnding.Lost, OutcomeState: { } state }
            ? new LeaseOutcome(state, record.RetryAfterSeconds)
            : null;
    }

    private static Task RecordAsync(JobsDbContext db, JobRow job, Ending ending, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            $"""
            UPDATE lease_records SET
                ended_at = @now, ending = @ending, reason = @reason, message = @message,
                outcome_state = @state, retry_after_seconds = @after,
                failures_before = @failures, deaths_before = @deaths, best_step_before = @best_step,
                measurements = COALESCE(@figures, measurements), log_tail = @log, peak_bytes = @peak, step_seconds = @step_seconds
            WHERE {LeaseRecordRow.OfLease}
            """,
            cancellationToken,
            ("id", job.Id),
            ("fence", job.Fence),
            ("token", job.Token),
            ("now", db.Dialect.Time(now)),
            ("failures", ending.Kind == LeaseEnding.Lost ? job.Failures : null),
            ("deaths", ending.Kind == LeaseEnding.Lost ? job.Deaths : null),
            ("best_step", ending.Kind == LeaseEnding.Lost ? job.BestStep : null),
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
        public TimeSpan Avoided { get; init; }
        public CompleteRequest? Result { get; init; }
        public Measurements? Measurements { get; init; }
        public string? LogTail { get; init; }

        public JobEnd OfJob =>
            new(State, Tally)
            {
                ErrorCode = ErrorCode,
                Message = Message,
                RetryAfter = RetryAfter,
                Avoided = Avoided,
                Artifacts = Result is { } done
                    ? JsonSerializer.Serialize(done.Artifacts.ToArray(), ContractsJson.Default.ArtifactArray)
                    : null,
                Warning = Result?.Warning,
            };

        public LeaseOutcome Outcome => new(State, State == JobState.Queued ? RetryAfter.TotalSeconds : null);
    }
}
