using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Intake;

/// <summary>New jobs as rows, each with its event.</summary>
internal static class JobRows
{
    /// <summary>Takes one turn of the key for all of them; they keep their order.</summary>
    /// <param name="jobs">All of one key, and at least one.</param>
    public static async Task<IReadOnlyList<Job>> InsertAsync(
        JobsDbContext db,
        IReadOnlyList<NewJob> jobs,
        string sender,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var tag = await KeyTurn.TakeAsync(db, jobs[0].KeyId, jobs.Sum(job => job.EstimatedSeconds), jobs.Count, now, cancellationToken);
        var rows = new List<JobRow>(jobs.Count);
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        foreach (var job in jobs)
        {
            var row = RowOf(job, tag, now);
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
        (db.WroteEvents, db.Joined) = (true, rows);
        await db.SaveChangesAsync(cancellationToken);
        foreach (var (model, vramClass) in rows.Select(row => (row.Model, row.VramClass)).Distinct())
        {
            await JobAnnouncer.NotifyAsync(db, model, vramClass, sender, cancellationToken);
        }

        return rows.ConvertAll(row => row.ToJob());
    }

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
