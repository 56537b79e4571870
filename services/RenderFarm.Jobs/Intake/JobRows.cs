using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Intake;

/// <summary>New jobs as rows, each with its event.</summary>
internal static class JobRows
{
    /// <summary>Takes one turn of the key for all of them; they keep their order.</summary>
    /// <param name="jobs">All of one key, and at least one.</param>
    /// <param name="promises">Of their models.</param>
    public static async Task<IReadOnlyList<JobRow>> InsertAsync(
        JobsDbContext db,
        IReadOnlyList<NewJob> jobs,
        StartPromises promises,
        string sender,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var tag = await KeyTurn.TakeAsync(db, jobs[0].KeyId, jobs.Sum(job => job.EstimatedSeconds), jobs.Count, now, cancellationToken);
        var rows = new List<JobRow>(jobs.Count);
        var pauses = await db.QueuePauses.AsNoTracking().ToListAsync(cancellationToken);
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        foreach (var job in jobs)
        {
            var row = RowOf(job, tag, now);
            var begins = promises.Join(row.Model, row.VramClass, row.OrderKey, row.EstimatedSeconds);
            row.PromisedSeconds = pauses.Exists(pause => pause.Holds(row.Model, row.KeyId)) ? null : begins;
            rows.Add(row);
            db.Jobs.Add(row);
            db.Events.Add(
                new EventRow
                {
                    JobId = row.Id,
                    KeyId = row.KeyId,
                    Model = row.Model,
                    Type = VideoEvent.Queued,
                    State = JobState.Queued,
                    OccurredAt = now,
                }
            );
            tag += job.EstimatedSeconds;
        }
        db.WroteEvents = true;
        await db.SaveChangesAsync(cancellationToken);
        await JoinAsync(db, rows.ConvertAll(JoinedJob.Of), sender, cancellationToken);
        return rows;
    }

    /// <summary>Rows of a batch, one at a time.</summary>
    /// <param name="tag">Where their key's clock stands; 0 before its turn has come (<see cref="MoveAsync"/>).</param>
    public static IEnumerable<JobRow> Of(IEnumerable<NewJob> jobs, double tag, DateTimeOffset now)
    {
        foreach (var job in jobs)
        {
            yield return RowOf(job, tag, now);
            tag += job.EstimatedSeconds;
        }
    }

    /// <summary>Takes one turn of the key for all jobs of a batch, and puts them and their events into their tables.</summary>
    public static async Task CopyAsync(
        JobsDbContext db,
        BatchRow batch,
        IReadOnlyCollection<NewJob> jobs,
        string sender,
        CancellationToken cancellationToken
    )
    {
        var seconds = jobs.Sum(job => job.EstimatedSeconds);
        var tag = await KeyTurn.TakeAsync(db, batch.KeyId, seconds, jobs.Count, batch.CreatedAt, cancellationToken);
        var joined = await JobTransitions.CopyAsync(db, Of(jobs, tag, batch.CreatedAt), cancellationToken);
        await AddEventsAsync(db, batch, cancellationToken);
        await JoinAsync(db, joined, sender, cancellationToken);
    }

    /// <summary>The same of rows that were staged.</summary>
    /// <param name="batch">Whose they are.</param>
    /// <param name="staged">At least one.</param>
    public static async Task MoveAsync(
        JobsDbContext db,
        BatchRow batch,
        JobTransitions.StagedJobs staged,
        string sender,
        CancellationToken cancellationToken
    )
    {
        var seconds = staged.Jobs.Sum(job => job.EstimatedSeconds);
        var tag = await KeyTurn.TakeAsync(db, batch.KeyId, seconds, staged.Jobs.Count, batch.CreatedAt, cancellationToken);
        await JobTransitions.MoveStagedAsync(db, tag, cancellationToken);
        await AddEventsAsync(db, batch, cancellationToken);
        await JoinAsync(db, [.. staged.Jobs.Select(job => job with { OrderKey = job.OrderKey + tag })], sender, cancellationToken);
    }

    private static Task AddEventsAsync(JobsDbContext db, BatchRow batch, CancellationToken cancellationToken) =>
        Outbox.AddWhereAsync(db, "batch_id = @id", VideoEvent.Queued, batch.CreatedAt, cancellationToken, ("id", batch.Id));

    private static async Task JoinAsync(
        JobsDbContext db,
        IReadOnlyList<JoinedJob> jobs,
        string sender,
        CancellationToken cancellationToken
    )
    {
        db.Joined.AddRange(jobs);
        foreach (var (model, vramClass) in jobs.Select(job => (job.Model, job.VramClass)).Distinct())
        {
            await JobAnnouncer.NotifyAsync(db, model, vramClass, sender, cancellationToken);
        }
    }

    /// <summary>A job that the database has forgotten waits again, in nobody's turn and without an event: it is not new.</summary>
    public static async Task RestoreAsync(JobsDbContext db, NewJob job, DateTimeOffset submitted, CancellationToken cancellationToken)
    {
        db.Jobs.Add(RowOf(job, 0, submitted));
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>The request of a row, as it came in. Where its webhooks go is left out, for it may hold a secret.</summary>
    public static NewJob RequestOf(JobRow row) =>
        new()
        {
            Id = row.Id,
            KeyId = row.KeyId,
            Spec = JsonSerializer.Deserialize(row.Spec, ContractsJson.Default.RenderSpec)!,
            Inputs = JsonSerializer.Deserialize(row.Inputs, JobsJson.Default.StoredInputArray)!,
            Priority = row.Priority,
            VramClass = row.VramClass,
            LeastVramBytes = row.LeastVramBytes,
            EstimatedSeconds = row.EstimatedSeconds,
            MaxAttempts = row.MaxAttempts,
            IdempotencyKey = row.IdempotencyKey,
            RequestHash = row.RequestHash,
            Metadata = row.Metadata is null ? null : JsonSerializer.Deserialize(row.Metadata, JobsJson.Default.DictionaryStringString),
            ExpiresAfter = row.ExpiresAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            RemixedFromId = row.RemixedFromId,
            BatchId = row.BatchId,
            BatchLine = row.BatchLine,
        };

    private static JobRow RowOf(NewJob job, double startTag, DateTimeOffset now) =>
        new()
        {
            Id = job.Id,
            KeyId = job.KeyId,
            Model = job.Spec.Model,
            Spec = JsonSerializer.Serialize(job.Spec, ContractsJson.Default.RenderSpec),
            Inputs = JsonSerializer.Serialize(job.Inputs.ToArray(), JobsJson.Default.StoredInputArray),
            Stage = RenderStage.Queued,
            Priority = job.Priority,
            VramClass = job.VramClass,
            LeastVramBytes = job.LeastVramBytes,
            EstimatedSeconds = job.EstimatedSeconds,
            StartTag = startTag,
            OrderKey = OrderKey.Of(startTag, job.Priority),
            MaxAttempts = job.MaxAttempts,
            CreatedAt = now,
            QueuedAt = now,
            ExpiresAfterSeconds = job.ExpiresAfter?.TotalSeconds,
            IdempotencyKey = job.IdempotencyKey,
            RequestHash = job.RequestHash,
            BatchId = job.BatchId,
            BatchLine = job.BatchLine,
            RemixedFromId = job.RemixedFromId,
            Metadata = job.Metadata is null
                ? null
                : JsonSerializer.Serialize(job.Metadata.ToDictionary(), JobsJson.Default.DictionaryStringString),
            WebhookUrl = job.WebhookUrl,
            TraceParent = job.TraceParent,
        };
}
