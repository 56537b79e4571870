using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs.Persistence;

/// <summary>
/// The life of a job. Its row comes in as <c>queued</c>; every later change of it is a statement here, and nothing else
/// writes to the table. A statement is conditional, so what it changed is the answer to "was it still so?"; the caller
/// writes the event that belongs to it in the same transaction.
/// </summary>
internal static partial class JobTransitions
{
    public static readonly JobTransition Take = new("take", [JobState.Queued], [JobState.Leased]);
    public static readonly JobTransition Begin = new("advance", [JobState.Leased], [JobState.Rendering]);
    public static readonly JobTransition Upload = new("advance", [JobState.Leased, JobState.Rendering], [JobState.Uploading]);
    public static readonly JobTransition End = new(
        "end",
        [JobState.Leased, JobState.Rendering, JobState.Uploading],
        [JobState.Completed, JobState.Queued, JobState.Failed, JobState.Cancelled]
    );
    public static readonly JobTransition Revive = new("revive", [JobState.Queued], [JobState.Rendering]);
    public static readonly JobTransition Cancel = new("cancel", [JobState.Queued], [JobState.Cancelled]);
    public static readonly JobTransition Requeue = new("requeue", [JobState.Failed, JobState.Cancelled], [JobState.Queued]);
    public static readonly JobTransition Adopt = new("adopt", [JobState.Queued], [JobState.Completed]);
    public static readonly JobTransition Expire = new("expire", [JobState.Completed], [JobState.Expired]);

    /// <summary>Every way that a job goes. The diagram in <c>contracts/README.md</c> shows the same.</summary>
    public static readonly IReadOnlyList<JobTransition> All = [Take, Begin, Upload, End, Revive, Cancel, Requeue, Adopt, Expire];

    public static readonly string Queued = In(Take.From);

    /// <summary>A worker has the job's newest lease.</summary>
    public static readonly string Held = In(End.From);

    /// <summary>Held and on a slot: an upload keeps its lease, while its card has the next job.</summary>
    public static readonly string Running = In([JobState.Leased, JobState.Rendering]);

    /// <summary>Waiting or held.</summary>
    public static readonly string Open = In([JobState.Queued, JobState.Leased, JobState.Rendering, JobState.Uploading]);

    /// <summary>Keys that run as many jobs as they may; their other jobs wait. Nothing is counted for keys without a limit.</summary>
    public static readonly string FullKeys = $"""
        SELECT k.id FROM api_keys k
        WHERE k.max_running IS NOT NULL
            AND k.max_running <= (SELECT COUNT(*) FROM jobs r WHERE r.key_id = k.id AND r.{Running})
        """;

    /// <summary>Keys of which nothing is taken now: they run as much as they may, or an operator has paused them.</summary>
    public static readonly string HeldBackKeys = $"{FullKeys} UNION ALL SELECT p.key_id FROM queue_pauses p WHERE p.model = ''";

    /// <summary>Pairs of key and model that an operator has paused.</summary>
    public const string PausedPairs = "SELECT p.key_id, p.model FROM queue_pauses p";

    /// <summary>It has ended. A completed job may expire, a failed or cancelled one may be asked for once more.</summary>
    public static readonly string Final = In([JobState.Completed, JobState.Cancelled, JobState.Failed, JobState.Expired]);

    /// <summary>Nothing is left to download: retention may remove it, some time after its end.</summary>
    public static readonly string Over =
        $"{In([JobState.Failed, JobState.Cancelled, JobState.Expired])} OR deleted_at IS NOT NULL";

    /// <summary>
    /// Of some jobs, those that <see cref="CancelAsync"/> has just cancelled, at <c>@now</c>. The same moment is in both columns: that
    /// tells them from those that were cancelled before.
    /// </summary>
    public static string JustCancelled(JobsWhere which) =>
        $"{which.Sql} AND {In([JobState.Cancelled])} AND finished_at = @now AND cancel_requested_at = @now";

    /// <summary>The row of the job whose newest lease this is. Whether it is still held is <see cref="Held"/>.</summary>
    private const string UnderLease = "id = @id AND fence = @fence AND token = @token";

    /// <summary>No operator has paused the model in the expression, nor the whole queue: asked of a line, not of each job in it.</summary>
    public static string IsOffered(string model) =>
        $"NOT EXISTS (SELECT 1 FROM queue_pauses p WHERE p.key_id = '' AND p.model IN ('', {model}))";

    /// <summary><see cref="Held"/>, for queries.</summary>
    public static readonly Expression<Func<JobRow, bool>> IsHeld = job =>
        job.State == JobState.Leased || job.State == JobState.Rendering || job.State == JobState.Uploading;

    /// <summary><see cref="Running"/>, for queries.</summary>
    public static readonly Expression<Func<JobRow, bool>> IsRunning = job =>
        job.State == JobState.Leased || job.State == JobState.Rendering;

    /// <summary>Queued or <see cref="Running"/>, for queries: what a key's quotas count.</summary>
    public static readonly Expression<Func<JobRow, bool>> IsQueuedOrRunning = job =>
        job.State == JobState.Queued || job.State == JobState.Leased || job.State == JobState.Rendering;

    /// <summary>What no row may be, whoever wrote it.</summary>
    public static readonly IReadOnlyDictionary<string, string> Checks = new Dictionary<string, string>
    {
        ["ck_jobs_state"] = $"{Queued} OR {Held} OR {Final}",
        ["ck_jobs_finished"] = $"(finished_at IS NOT NULL) = ({Final})",
        ["ck_jobs_lease_worker"] = $"(lease_worker_id IS NOT NULL) = ({Held})",
        ["ck_jobs_lease_slot"] = $"(lease_slot_id IS NOT NULL) = ({Held})",
        ["ck_jobs_lease_until"] = $"(lease_until IS NOT NULL) = ({Held})",
        ["ck_jobs_token"] = $"token IS NOT NULL OR NOT ({Held})",
        ["ck_jobs_fenced"] = $"fence >= 0 AND (fence > 0 OR NOT ({Held}))",
        ["ck_jobs_error"] = $"(error_code IS NOT NULL) = ({In([JobState.Failed])})",
        ["ck_jobs_result"] = $"(winning_fence IS NOT NULL) = ({In([JobState.Completed, JobState.Expired])})",
        ["ck_jobs_not_before"] = $"not_before IS NULL OR {Queued}",
        ["ck_jobs_counts"] =
            "failures >= 0 AND failures <= max_attempts AND deaths >= 0 AND step_downs BETWEEN 0 AND 6 AND priority BETWEEN 0 AND 100",
    };

    /// <summary>A report of work that moves the job on. Null: it is not where the way begins, or another lease is newer.</summary>
    public static Task<HeldLease?> AdvanceAsync(
        JobsDbContext db,
        LeaseId lease,
        JobState to,
        JobProgress progress,
        double seconds,
        CancellationToken cancellationToken
    )
    {
        var way = to == JobState.Rendering ? Begin : Upload;
        return RenewAsync(db, lease, way.Where, way.Into(to), progress, seconds, cancellationToken);
    }

    /// <summary>A report of work that extends the lease and leaves the state. Null: that is another, or another lease is newer.</summary>
    public static Task<HeldLease?> StayAsync(
        JobsDbContext db,
        LeaseId lease,
        JobState at,
        JobProgress progress,
        double seconds,
        CancellationToken cancellationToken
    ) => RenewAsync(db, lease, In([at]), Word.Of(at), progress, seconds, cancellationToken);

    private static async Task<HeldLease?> RenewAsync(
        JobsDbContext db,
        LeaseId lease,
        string from,
        string to,
        JobProgress progress,
        double seconds,
        CancellationToken cancellationToken
    )
    {
        // Writes no indexed column but the state, and that only where it changes
        var rows = await db.RowsAsync(
            $"""
            UPDATE jobs
            SET state = @to, lease_until = {db.Dialect.NowPlus("@seconds")}, stage = @stage,
                step = {db.Dialect.Greatest}(step, @step), steps = {db.Dialect.Greatest}(steps, @steps)
            WHERE {UnderLease} AND {from}
            RETURNING lease_worker_id, cancel_requested_at IS NOT NULL,
                COALESCE((SELECT draining FROM workers WHERE id = lease_worker_id), FALSE)
            """,
            row => new HeldLease(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)),
            cancellationToken,
            ("id", lease.JobId),
            ("fence", lease.Fence),
            ("token", lease.Token.Secret),
            ("to", to),
            ("seconds", seconds),
            ("stage", Word.Of(progress.Stage)),
            ("step", progress.Step),
            ("steps", progress.Steps)
        );
        return rows.SingleOrDefault();
    }

    /// <summary>Goes with the first way into work: the job's first lease that got so far is its start.</summary>
    public static Task NoteStartAsync(JobsDbContext db, string id, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            "UPDATE jobs SET started_at = COALESCE(started_at, @now) WHERE id = @id",
            cancellationToken,
            ("id", id),
            ("now", db.Dialect.Time(now))
        );

    /// <summary>
    /// The lease ends. False: since <paramref name="job"/> was read, another lease was given, the lease ended, or somebody
    /// wished to stop it, on which the decision may hang.
    /// </summary>
    /// <param name="onlyIfExpired">A lease that was renewed meanwhile has not run out.</param>
    public static async Task<bool> EndAsync(
        JobsDbContext db,
        JobRow job,
        JobEnd end,
        DateTimeOffset now,
        bool onlyIfExpired,
        CancellationToken cancellationToken
    )
    {
        var (requeued, completed) = (end.State == JobState.Queued, end.State == JobState.Completed);
        DateTimeOffset? expires = completed && job.ExpiresAfterSeconds is { } keep ? now.AddSeconds(keep) : null;
        var changed = await db.ExecuteAsync(
            $"""
            UPDATE jobs SET
                state = @state, stage = @stage, lease_worker_id = NULL, lease_slot_id = NULL, lease_until = NULL,
                failures = @failures, step_downs = @step_downs, deaths = @deaths,
                best_step = {db.Dialect.Greatest}(best_step, step),
                not_before = CASE WHEN @after > 0 THEN {db.Dialect.NowPlus("@after")} ELSE NULL END,
                avoid_worker_id = CASE WHEN @avoid > 0 THEN lease_worker_id ELSE NULL END,
                avoid_slot_id = CASE WHEN @avoid > 0 THEN lease_slot_id ELSE NULL END,
                avoid_until = CASE WHEN @avoid > 0 THEN {db.Dialect.NowPlus("@avoid")} ELSE NULL END,
                queued_at = COALESCE(@queued, queued_at), finished_at = @finished, expires_at = @expires,
                error_code = @error_code, error_message = @error_message, warning = @warning,
                winning_fence = @winning, artifacts = @artifacts
            WHERE {UnderLease} AND {End.Where}
              AND (cancel_requested_at IS NOT NULL) = @cancel {(onlyIfExpired ? $"AND lease_until < {db.Dialect.Now}" : "")}
            """,
            cancellationToken,
            ("id", job.Id),
            ("fence", job.Fence),
            ("token", job.Token),
            ("cancel", job.CancelRequestedAt is not null),
            ("state", End.Into(end.State)),
            (
                "stage",
                Word.Of(
                    requeued ? RenderStage.Queued
                    : completed ? RenderStage.Done
                    : job.Stage
                )
            ),
            ("failures", end.Tally.Failures),
            ("step_downs", end.Tally.StepDowns),
            ("deaths", end.Tally.Deaths),
            ("after", end.RetryAfter.TotalSeconds),
            ("avoid", end.Avoided.TotalSeconds),
            ("queued", requeued ? db.Dialect.Time(now) : null),
            ("finished", requeued ? null : db.Dialect.Time(now)),
            ("expires", expires is { } at ? db.Dialect.Time(at) : null),
            ("error_code", end.ErrorCode),
            ("error_message", end.ErrorCode is null ? null : end.Message),
            ("warning", end.Warning),
            ("winning", completed ? job.Fence : null),
            ("artifacts", end.Artifacts)
        );
        return changed == 1;
    }

    /// <summary>
    /// The worker of a lease that was taken for lost is back, and nobody has the job yet: it is its own again, and what the loss
    /// had counted is given back. False: the lease was not lost, or the job waits for another reason by now, or waits no more.
    /// </summary>
    public static async Task<bool> ReviveAsync(JobsDbContext db, LeaseId lease, double seconds, CancellationToken cancellationToken) =>
        await db.ExecuteAsync(
            $"""
            UPDATE jobs SET
                state = '{Revive.Into(JobState.Rendering)}', stage = '{Word.Of(RenderStage.Loading)}', not_before = NULL,
                lease_worker_id = lost.worker_id, lease_slot_id = lost.slot_id, lease_until = {db.Dialect.NowPlus("@seconds")},
                failures = lost.failures_before, deaths = lost.deaths_before, best_step = lost.best_step_before
            FROM lease_records lost
            WHERE jobs.id = @id AND jobs.fence = @fence AND jobs.token = @token AND jobs.{Revive.Where}
                AND lost.job_id = @id AND lost.fence = @fence AND lost.token = @token
                AND lost.ending = '{Word.Of(LeaseEnding.Lost)}' AND lost.ended_at = jobs.queued_at
            """,
            cancellationToken,
            ("id", lease.JobId),
            ("fence", lease.Fence),
            ("token", lease.Token.Secret),
            ("seconds", seconds)
        ) == 1;

    /// <summary>Jobs that wait end at once; see <see cref="JustCancelled"/>.</summary>
    public static Task<int> CancelAsync(JobsDbContext db, JobsWhere which, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            $"""
            UPDATE jobs SET state = '{Cancel.Into(JobState.Cancelled)}', not_before = NULL, cancel_requested_at = @now, finished_at = @now
            WHERE {which.Sql} AND {Cancel.Where}
            """,
            cancellationToken,
            which.Argument,
            ("now", db.Dialect.Time(now))
        );

    /// <summary>A job that a worker holds goes on until the worker has heard of the wish.</summary>
    public static Task WishCancelAsync(JobsDbContext db, JobsWhere which, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            $"UPDATE jobs SET cancel_requested_at = @now WHERE {which.Sql} AND cancel_requested_at IS NULL AND {Held}",
            cancellationToken,
            which.Argument,
            ("now", db.Dialect.Time(now))
        );

    /// <summary>A failed or cancelled job is asked for once more: as if it had just come in, but in its old place.</summary>
    public static async Task<bool> RequeueAsync(JobsDbContext db, string id, DateTimeOffset now, CancellationToken cancellationToken) =>
        await db.ExecuteAsync(
            $"""
            UPDATE jobs SET
                state = '{Requeue.Into(JobState.Queued)}', stage = '{Word.Of(RenderStage.Queued)}', queued_at = @now,
                step = 0, steps = 0, best_step = 0, failures = 0, step_downs = 0, deaths = 0, error_code = NULL, error_message = NULL,
                cancel_requested_at = NULL, finished_at = NULL
            WHERE id = @id AND deleted_at IS NULL AND {Requeue.Where}
            """,
            cancellationToken,
            ("id", id),
            ("now", db.Dialect.Time(now))
        ) == 1;

    /// <summary>
    /// The result of a job that waits is there already, under a lease that the database has forgotten: it was restored from a time before.
    /// A job that somebody wished to stop, or has deleted, ends that way.
    /// </summary>
    /// <param name="artifacts">JSON list.</param>
    public static async Task<bool> AdoptAsync(
        JobsDbContext db,
        LeaseName lease,
        string artifacts,
        string? warning,
        DateTimeOffset finished,
        CancellationToken cancellationToken
    ) =>
        await db.ExecuteAsync(
            $"""
            UPDATE jobs SET
                state = '{Adopt.Into(JobState.Completed)}', stage = '{Word.Of(RenderStage.Done)}', not_before = NULL,
                fence = {db.Dialect.Greatest}(fence, @fence), token = NULL, winning_fence = @fence, deaths = 0,
                finished_at = @finished, expires_at = CASE WHEN expires_after_seconds IS NULL THEN NULL
                    ELSE {db.Dialect.TimePlus("@finished", "expires_after_seconds")} END,
                artifacts = @artifacts, warning = @warning
            WHERE id = @id AND cancel_requested_at IS NULL AND deleted_at IS NULL AND {Adopt.Where}
            """,
            cancellationToken,
            ("id", lease.JobId),
            ("fence", lease.Fence),
            ("finished", db.Dialect.Time(finished)),
            ("artifacts", artifacts),
            ("warning", warning)
        ) == 1;

    /// <summary>The time for which its artifacts were to be kept is over.</summary>
    public static async Task<bool> ExpireAsync(JobsDbContext db, string id, DateTimeOffset now, CancellationToken cancellationToken) =>
        await db.ExecuteAsync(
            $"UPDATE jobs SET state = '{Expire.Into(JobState.Expired)}' WHERE id = @id AND expires_at <= @now AND {Expire.Where}",
            cancellationToken,
            ("id", id),
            ("now", db.Dialect.Time(now))
        ) == 1;

    /// <summary>Makes jobs invisible to users; their state goes on by itself.</summary>
    public static Task<int> HideAsync(JobsDbContext db, JobsWhere which, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            $"UPDATE jobs SET deleted_at = @now WHERE {which.Sql} AND deleted_at IS NULL",
            cancellationToken,
            which.Argument,
            ("now", db.Dialect.Time(now))
        );

    /// <summary>What was hidden is seen again, unless the janitor was there first.</summary>
    public static async Task<bool> ShowAsync(JobsDbContext db, string id, CancellationToken cancellationToken) =>
        await db.ExecuteAsync(
            "UPDATE jobs SET deleted_at = NULL WHERE id = @id AND deleted_at IS NOT NULL AND let_go_at IS NULL",
            cancellationToken,
            ("id", id)
        ) == 1;

    /// <summary>Before objects of deleted jobs are removed: from here on <see cref="ShowAsync"/> leaves them hidden.</summary>
    public static Task<int> LetGoAsync(JobsDbContext db, JobsWhere which, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            $"""
            UPDATE jobs SET let_go_at = @now
            WHERE {which.Sql} AND deleted_at IS NOT NULL AND finished_at IS NOT NULL AND let_go_at IS NULL
            """,
            cancellationToken,
            which.Argument,
            ("now", db.Dialect.Time(now))
        );

    /// <summary>A job that waits takes another place: that of its key's turn, by another priority.</summary>
    /// <param name="ahead">How far that lies from the turn itself.</param>
    public static async Task<bool> PrioritizeAsync(
        JobsDbContext db,
        string id,
        int priority,
        double ahead,
        CancellationToken cancellationToken
    ) =>
        await db.ExecuteAsync(
            $"""
            UPDATE jobs SET priority = @priority, order_key = start_tag + @ahead
            WHERE id = @id AND deleted_at IS NULL AND {Queued}
            """,
            cancellationToken,
            ("id", id),
            ("priority", priority),
            ("ahead", ahead)
        ) == 1;

    /// <summary>False: somebody else has changed them since they were read.</summary>
    /// <param name="before">JSON, as is <paramref name="after"/>.</param>
    public static async Task<bool> LabelAsync(
        JobsDbContext db,
        string id,
        string? before,
        string after,
        CancellationToken cancellationToken
    ) =>
        await db.ExecuteAsync(
            "UPDATE jobs SET metadata = @after WHERE id = @id AND COALESCE(metadata, '') = @before",
            cancellationToken,
            ("id", id),
            ("before", before ?? ""),
            ("after", after)
        ) == 1;

    /// <summary>
    /// Idempotency keys of jobs that their owner has deleted are free again: what was deleted is no answer to the request that made it.
    /// </summary>
    public static async Task GiveUpRepeatMarksAsync(
        JobsDbContext db,
        string keyId,
        IReadOnlyList<string> marks,
        CancellationToken cancellationToken
    )
    {
        if (marks.Count > 0)
        {
            await db
                .Jobs.Where(job =>
                    job.KeyId == keyId && job.IdempotencyKey != null && marks.Contains(job.IdempotencyKey) && job.DeletedAt != null
                )
                .ExecuteUpdateAsync(set => set.SetProperty(job => job.IdempotencyKey, (string?)null), cancellationToken);
        }
    }

    /// <summary>What a pause holds back begins later than it was promised, and no worker is to blame for it.</summary>
    /// <param name="model">Empty: of all.</param>
    /// <param name="keyId">Empty: of all.</param>
    public static Task<int> ForgetPromisesAsync(JobsDbContext db, string model, string keyId, CancellationToken cancellationToken) =>
        db
            .Jobs.Where(job =>
                job.State == JobState.Queued
                && job.PromisedSeconds != null
                && (model == "" || job.Model == model)
                && (keyId == "" || job.KeyId == keyId)
            )
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.PromisedSeconds, (double?)null), cancellationToken);

    /// <summary>
    /// The row of a job that is <see cref="Over"/> goes, unless an event of it has no place in the log yet, or has the last one:
    /// the next event is numbered after it.
    /// </summary>
    public static async Task<bool> RemoveAsync(
        JobsDbContext db,
        string id,
        DateTimeOffset endedBefore,
        CancellationToken cancellationToken
    ) =>
        await db.ExecuteAsync(
            $"""
            DELETE FROM jobs WHERE id = @id AND finished_at <= @before AND ({Over}) AND NOT EXISTS (
                SELECT 1 FROM events e WHERE e.job_id = jobs.id AND (e.position IS NULL OR e.position = (SELECT MAX(position) FROM events)))
            """,
            cancellationToken,
            ("id", id),
            ("before", db.Dialect.Time(endedBefore))
        ) == 1;

    internal static string In(IReadOnlyList<JobState> states) =>
        states.Count == 1
            ? $"state = '{Word.Of(states[0])}'"
            : $"state IN ({string.Join(", ", states.Select(state => $"'{Word.Of(state)}'"))})";
}

/// <summary>How far a worker says that it is.</summary>
internal sealed record JobProgress(RenderStage Stage, int Step, int Steps);

/// <summary>A lease that was extended, and what its worker is to know.</summary>
/// <param name="CancelRequested">The user wants the job stopped.</param>
/// <param name="Draining">The worker is to take no more jobs.</param>
internal sealed record HeldLease(string WorkerId, bool CancelRequested, bool Draining);

/// <summary>What a lease came to, as far as it goes into the job's row.</summary>
internal sealed record JobEnd(JobState State, Tally Tally)
{
    /// <summary>Set when <see cref="State"/> is failed.</summary>
    public string? ErrorCode { get; init; }
    public string? Message { get; init; }
    public TimeSpan RetryAfter { get; init; }

    /// <summary>For so long it goes to another worker than this one, where there is one; zero where it makes no difference.</summary>
    public TimeSpan Avoided { get; init; }

    /// <summary>JSON list; set when <see cref="State"/> is completed.</summary>
    public string? Artifacts { get; init; }
    public string? Warning { get; init; }
}
