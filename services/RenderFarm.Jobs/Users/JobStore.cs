using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Users;

/// <summary>What users do with jobs, apart from submitting. Every call sees only the jobs of its scope.</summary>
public sealed class JobStore(JobDatabase database, JobSubmission submission, JobAnnouncer announcer, TimeProvider time)
{
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

    /// <inheritdoc cref="JobSearch.PageAsync"/>
    public Task<JobPage> ListAsync(JobScope scope, JobFilter filter, PagePlace place, CancellationToken cancellationToken) =>
        database.ReadAsync(db => JobSearch.PageAsync(db, scope, filter, place, cancellationToken), cancellationToken);

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

                await Stopping.StopAsync(db, JobsWhere.One(id), time.GetUtcNow(), cancellationToken);
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
                var now = time.GetUtcNow();
                if (!seen || await JobTransitions.HideAsync(db, JobsWhere.One(id), now, cancellationToken) == 0)
                {
                    return null;
                }

                await Stopping.StopAsync(db, JobsWhere.One(id), now, cancellationToken);
                var row = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, cancellationToken);
                return row.ToJob();
            },
            cancellationToken
        );

    /// <summary>What was deleted is seen again, as it was when it ended, until the janitor has begun to remove its objects.</summary>
    public Task<UndeleteResult> UndeleteAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.WriteAsync<UndeleteResult>(
            async db =>
            {
                var there = scope.KeyId is { } key ? db.Jobs.Where(j => j.KeyId == key) : db.Jobs;
                if (!await there.AnyAsync(j => j.Id == id, cancellationToken))
                {
                    return new UndeleteResult.NotFound();
                }

                await JobTransitions.ShowAsync(db, id, cancellationToken);
                return await FindAsync(db, id, scope) is { } job ? new UndeleteResult.Seen(job) : new UndeleteResult.Gone();
            },
            cancellationToken
        );

    /// <summary>
    /// Changes what may be changed of a job that is there: pairs of its metadata, and its priority while it waits. All of it or nothing.
    /// </summary>
    public Task<EditResult> EditAsync(string id, JobScope scope, JobEdit edit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(edit);
        return database.WriteAsync<EditResult>(
            async db =>
            {
                while (true)
                {
                    if (await Visible(db, scope).SingleOrDefaultAsync(j => j.Id == id, cancellationToken) is not { } row)
                    {
                        return new EditResult.NotFound();
                    }

                    var pairs = edit.Onto(row.ToJob().Metadata ?? new Dictionary<string, string>());
                    if (edit.Metadata.Count > 0 && pairs.Count > JobEdit.MostPairs)
                    {
                        return new EditResult.TooManyPairs(pairs.Count);
                    }

                    if (edit.Priority is { } priority && priority != row.Priority)
                    {
                        if (!await JobTransitions.PrioritizeAsync(db, id, priority, OrderKey.Of(0, priority), cancellationToken))
                        {
                            return new EditResult.NotWaiting(row.ToJob());
                        }

                        db.ChangedQueue = true;
                    }

                    var after = JsonSerializer.Serialize(pairs, JobsJson.Default.DictionaryStringString);
                    if (
                        edit.Metadata.Count == 0
                        || await JobTransitions.LabelAsync(db, id, row.Metadata, after, cancellationToken)
                    )
                    {
                        break;
                    }
                    // Somebody else has set another pair in between: his stays too
                }

                return new EditResult.Edited((await FindAsync(db, id, scope))!);
            },
            cancellationToken
        );
    }

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
                await Stopping.ChargeAgainAsync(db, id, cancellationToken);
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
                var queues = await (
                    from job in db.Jobs
                    join key in db.ApiKeys on job.KeyId equals key.Id
                    where job.State == JobState.Queued
                    let held = db.QueuePauses.Any(pause =>
                        (pause.Model == "" || pause.Model == job.Model) && (pause.KeyId == "" || pause.KeyId == job.KeyId)
                    )
                    group job by new { job.Model, job.VramClass, Class = key.Class ?? ApiKeys.DefaultClass, Held = held } into queue
                    select new
                    {
                        queue.Key.Model,
                        queue.Key.VramClass,
                        queue.Key.Class,
                        queue.Key.Held,
                        Count = queue.Count(),
                        Oldest = queue.Min(job => job.QueuedAt),
                        Work = queue.Sum(job => job.EstimatedSeconds),
                    }
                ).ToListAsync(cancellationToken);
                return new JobCounts(
                    states
                        .Select(s => KeyValuePair.Create(s.State, s.Count))
                        .Concat(queues.GroupBy(_ => JobState.Queued).Select(q => KeyValuePair.Create(q.Key, q.Sum(queue => queue.Count))))
                        .ToDictionary(),
                    queues.ConvertAll(q => new QueueCount(q.Model, q.VramClass, q.Class, q.Held, q.Count, q.Oldest, q.Work))
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
}

public sealed record HeldJob(string JobId, string KeyId, string WorkerId, string SlotId, RenderStage Stage);

public abstract record UndeleteResult
{
    /// <summary>It is there; it may never have been deleted.</summary>
    public sealed record Seen(Job Job) : UndeleteResult;

    /// <summary>Its objects are being removed, or are gone.</summary>
    public sealed record Gone : UndeleteResult;

    public sealed record NotFound : UndeleteResult;
}

public abstract record RetryResult
{
    public sealed record Requeued(Job Job) : RetryResult;

    /// <summary>Only failed and cancelled jobs can be run again.</summary>
    public sealed record WrongState(Job Job) : RetryResult;

    public sealed record NotFound : RetryResult;
}

/// <param name="ByState">States without a job are absent.</param>
public sealed record JobCounts(IReadOnlyDictionary<JobState, int> ByState, IReadOnlyList<QueueCount> Queues);

/// <param name="KeyClass">Of the keys whose jobs these are.</param>
/// <param name="IsHeld">A pause holds them back: they wait for whoever made it, and for no card.</param>
/// <param name="WorkSeconds">Estimated render time of all of them.</param>
public sealed record QueueCount(
    string Model,
    int VramClass,
    string KeyClass,
    bool IsHeld,
    int Count,
    DateTimeOffset OldestQueuedAt,
    double WorkSeconds
);
