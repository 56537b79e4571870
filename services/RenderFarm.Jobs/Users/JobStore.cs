using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Users;

/// <summary>What users do with jobs, apart from submitting. Every call sees only the jobs of its scope.</summary>
public sealed class JobStore(JobDatabase database, JobSubmission submission, JobAnnouncer announcer, TimeProvider time)
{
    public const int LargestPage = 100;

    /// <summary>What is asked most of all, translated once. Belongs to the store's own model, so it is not shared between stores.</summary>
    private readonly Func<JobsDbContext, string, string?, Task<Found?>> _find = EF.CompileAsyncQuery(
        (JobsDbContext db, string id, string? key) =>
            db
                .Jobs.AsNoTracking()
                .Where(j => j.Id == id && j.DeletedAt == null && (key == null || j.KeyId == key))
                .LeftJoin(db.LeaseRecords, j => new { JobId = j.Id, j.Fence }, r => new { r.JobId, r.Fence }, (j, r) => new Found(j, r))
                .SingleOrDefault()
    );

    /// <inheritdoc cref="JobSubmission.SubmitAsync(NewJob, CancellationToken)"/>
    public Task<SubmitResult> SubmitAsync(NewJob job, CancellationToken cancellationToken) =>
        submission.SubmitAsync(job, cancellationToken);

    /// <inheritdoc cref="JobSubmission.EarlierAsync(NewJob, CancellationToken)"/>
    public Task<SubmitResult?> EarlierAsync(NewJob job, CancellationToken cancellationToken) =>
        submission.EarlierAsync(job, cancellationToken);

    /// <summary>Null for an id that does not exist, belongs to another key, or was deleted.</summary>
    public Task<Job?> GetAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.ReadAsync(db => FindAsync(db, id, scope), cancellationToken);

    /// <summary>Whether there is such a job, deleted or not.</summary>
    public Task<bool> ExistsAsync(string id, CancellationToken cancellationToken) =>
        database.ReadAsync(db => db.Jobs.AnyAsync(j => j.Id == id, cancellationToken), cancellationToken);

    /// <summary>A page by submission time. <paramref name="after"/> is the last id of the page before.</summary>
    public Task<JobPage> ListAsync(JobScope scope, int limit, string? after, bool ascending, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async db =>
            {
                var size = Math.Clamp(limit, 0, LargestPage);
                var jobs = Visible(db, scope);
                // Ids sort by time, so the id is its own page mark
                if (after is not null)
                {
                    jobs = ascending ? jobs.Where(j => string.Compare(j.Id, after) > 0) : jobs.Where(j => string.Compare(j.Id, after) < 0);
                }

                jobs = ascending ? jobs.OrderBy(j => j.Id) : jobs.OrderByDescending(j => j.Id);
                var rows = await jobs.Take(size + 1).ToListAsync(cancellationToken);
                return new JobPage(rows.Take(size).Select(row => row.ToJob()).ToList(), rows.Count > size);
            },
            cancellationToken
        );

    /// <summary>One record a lease, oldest first; null where <see cref="GetAsync"/> gives null.</summary>
    public Task<IReadOnlyList<LeaseRecord>?> LeasesAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<LeaseRecord>?>(
            async db =>
            {
                if (!await Visible(db, scope).AnyAsync(j => j.Id == id, cancellationToken))
                {
                    return null;
                }

                var rows = await db
                    .LeaseRecords.AsNoTracking()
                    .Where(r => r.JobId == id)
                    .OrderBy(r => r.Fence)
                    .ToListAsync(cancellationToken);
                return rows.ConvertAll(row => row.ToRecord());
            },
            cancellationToken
        );

    /// <summary>
    /// Stops a job. A queued one is cancelled at once; a held one is asked for (see <see cref="Job.CancelRequested"/>) and
    /// ends when its worker reports; a finished one stays as it is. Null: not found.
    /// </summary>
    public Task<Job?> CancelAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
            {
                if (!await Visible(db, scope).AnyAsync(j => j.Id == id, cancellationToken))
                {
                    return null;
                }

                await StopAsync(db, id, cancellationToken);
                return await FindAsync(db, id, scope);
            },
            cancellationToken
        );

    /// <summary>
    /// Makes the job invisible, stopping it first. Its objects are the janitor's. The job as it was at that moment,
    /// so that a worker can be told; null: not found.
    /// </summary>
    public Task<Job?> DeleteAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
            {
                var seen = await Visible(db, scope).AnyAsync(j => j.Id == id, cancellationToken);
                if (!seen || !await JobTransitions.HideAsync(db, id, time.GetUtcNow(), cancellationToken))
                {
                    return null;
                }

                await StopAsync(db, id, cancellationToken);
                var row = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, cancellationToken);
                return row.ToJob();
            },
            cancellationToken
        );

    /// <summary>Runs a failed or cancelled job again as the same video, with all its attempts before it.</summary>
    /// <exception cref="Keys.QuotaExceededException">Its key has no room in the queue, or none left of its day.</exception>
    public async Task<RetryResult> RetryAsync(string id, JobScope scope, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var result = await database.WriteAsync<RetryResult>(
            async db =>
            {
                var seen = await Visible(db, scope).AnyAsync(j => j.Id == id, cancellationToken);
                var requeued = seen && await JobTransitions.RequeueAsync(db, id, now, cancellationToken);
                var job = await FindAsync(db, id, scope);
                if (job is null)
                {
                    return new RetryResult.NotFound();
                }

                if (!requeued)
                {
                    return new RetryResult.WrongState(job);
                }

                await KeyTurn.TakeAgainAsync(db, job.KeyId, now, cancellationToken);
                // Cancelled before it began, it was given back to its key: now it counts again
                await ChargeAsync(db, id, +1, cancellationToken);
                await Outbox.AddAsync(db, id, VideoEvent.Queued, now, cancellationToken);
                await JobAnnouncer.NotifyAsync(db, job.Spec.Model, job.VramClass, announcer.Sender, cancellationToken);
                return new RetryResult.Requeued(job);
            },
            cancellationToken
        );
        if (result is RetryResult.Requeued { Job: var again })
        {
            announcer.Committed(new Announcement(again.Id, again.Fence, again.Spec.Model, again.VramClass));
        }

        return result;
    }

    /// <summary>Every job that a worker holds, whosever it is.</summary>
    public Task<IReadOnlyList<HeldJob>> HeldAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<HeldJob>>(
            async db =>
                await db
                    .Jobs.AsNoTracking()
                    .Where(JobTransitions.IsHeld)
                    .OrderBy(j => j.Id)
                    .Select(j => new HeldJob(j.Id, j.KeyId, j.LeaseWorkerId!, j.LeaseSlotId!, j.Stage))
                    .ToListAsync(cancellationToken),
            cancellationToken
        );

    /// <summary>For metrics: how many jobs have ended, by state. Reads every row: ask rarely.</summary>
    public Task<IReadOnlyDictionary<JobState, int>> EndedCountsAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyDictionary<JobState, int>>(
            async db =>
            {
                return await db
                    .Jobs.Where(j => j.FinishedAt != null)
                    .GroupBy(j => j.State)
                    .Select(g => new { State = g.Key, Count = g.Count() })
                    .ToDictionaryAsync(s => s.State, s => s.Count, cancellationToken);
            },
            cancellationToken,
            StorePatience.Many
        );

    /// <summary>For metrics: how many jobs wait or are held, for how long, and how much work waits. Reads those rows only.</summary>
    public Task<JobCounts> CountsAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            async db =>
            {
                var states = await db
                    .Jobs.Where(JobTransitions.IsHeld)
                    .GroupBy(j => j.State)
                    .Select(g => new { State = g.Key, Count = g.Count() })
                    .ToListAsync(cancellationToken);
                var queues = await db
                    .Jobs.Where(j => j.State == JobState.Queued)
                    .GroupBy(j => new { j.Model, j.VramClass })
                    .Select(g => new
                    {
                        g.Key.Model,
                        g.Key.VramClass,
                        Count = g.Count(),
                        Oldest = g.Min(j => j.QueuedAt),
                        Work = g.Sum(j => j.EstimatedSeconds),
                    })
                    .ToListAsync(cancellationToken);
                return new JobCounts(
                    states
                        .Select(s => KeyValuePair.Create(s.State, s.Count))
                        .Concat(queues.GroupBy(_ => JobState.Queued).Select(q => KeyValuePair.Create(q.Key, q.Sum(queue => queue.Count))))
                        .ToDictionary(),
                    queues.ConvertAll(q => new QueueCount(q.Model, q.VramClass, q.Count, q.Oldest, q.Work))
                );
            },
            cancellationToken,
            StorePatience.Many
        );

    private static IQueryable<JobRow> Visible(JobsDbContext db, JobScope scope)
    {
        var jobs = db.Jobs.AsNoTracking().Where(j => j.DeletedAt == null);
        return scope.KeyId is { } key ? jobs.Where(j => j.KeyId == key) : jobs;
    }

    private async Task<Job?> FindAsync(JobsDbContext db, string id, JobScope scope)
    {
        var found = await _find(db, id, scope.KeyId);
        return found?.Job.ToJob(found.Lease);
    }

    private sealed record Found(JobRow Job, LeaseRecordRow? Lease);

    private async Task StopAsync(JobsDbContext db, string id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (!await JobTransitions.CancelAsync(db, id, now, cancellationToken))
        {
            await JobTransitions.WishCancelAsync(db, id, now, cancellationToken);
            return;
        }

        await Outbox.AddAsync(db, id, VideoEvent.Cancelled, now, cancellationToken);
        // Work that was never begun is not held against its key
        await ChargeAsync(db, id, -1, cancellationToken);
    }

    /// <summary>Moves the key's virtual time by a job that was never begun; begun ones have been paid for.</summary>
    private static Task ChargeAsync(JobsDbContext db, string id, int times, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            """
            UPDATE api_keys SET virtual_time = virtual_time + @times * (SELECT estimated_seconds FROM jobs WHERE id = @id)
            WHERE id = (SELECT key_id FROM jobs WHERE id = @id AND fence = 0)
            """,
            cancellationToken,
            ("id", id),
            ("times", times)
        );
}

public sealed record HeldJob(string JobId, string KeyId, string WorkerId, string SlotId, RenderStage Stage);

public sealed record JobPage(IReadOnlyList<Job> Jobs, bool HasMore);

public abstract record RetryResult
{
    public sealed record Requeued(Job Job) : RetryResult;

    /// <summary>Only failed and cancelled jobs can be run again.</summary>
    public sealed record WrongState(Job Job) : RetryResult;

    public sealed record NotFound : RetryResult;
}

/// <param name="ByState">States without a job are absent.</param>
public sealed record JobCounts(IReadOnlyDictionary<JobState, int> ByState, IReadOnlyList<QueueCount> Queues);

/// <param name="WorkSeconds">Estimated render time of all of them.</param>
public sealed record QueueCount(string Model, int VramClass, int Count, DateTimeOffset OldestQueuedAt, double WorkSeconds);
