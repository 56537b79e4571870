using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Intake;

/// <summary>A request becomes a row, once.</summary>
public sealed class JobSubmission(JobDatabase database, JobAnnouncer announcer, TimeProvider time)
{
    /// <summary>How long an equal request that calls itself a repeat is taken for the same one.</summary>
    public static readonly TimeSpan RepeatWindow = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Persists the job as <c>queued</c> in one transaction with its event, then wakes a worker. When this returns, the job
    /// is safe, broker up or down. A request that came before is not taken twice.
    /// </summary>
    /// <exception cref="QuotaExceededException">The key has no room for it.</exception>
    public async Task<SubmitResult> SubmitAsync(NewJob job, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(job);
        SubmitResult result;
        try
        {
            result = await database.WriteAsync(
                async db => await EarlierAsync(db, job, cancellation) ?? await InsertAsync(db, job, cancellation), cancellation);
        }
        catch (DbUpdateException e) when (job.IdempotencyKey is not null && IsUniqueViolation(e))
        {
            // the same request at the same moment on another connection; it has committed by now
            result = await database.ReadAsync(db => EarlierAsync(db, job, cancellation), cancellation)
                ?? throw new InvalidOperationException($"Idempotency key {job.IdempotencyKey} is taken, and by nobody.", e);
        }
        if (result is SubmitResult.Created) announcer.Committed(job.Id, job.Spec.Model, job.VramClass);
        return result;
    }

    /// <summary>What came of this request when it was sent before; null where it wasn't. For whoever has work to do before the job can be submitted.</summary>
    /// <param name="job">Only what tells repeats is looked at.</param>
    public Task<SubmitResult?> EarlierAsync(NewJob job, CancellationToken cancellation) =>
        database.ReadAsync(db => EarlierAsync(db, job, cancellation), cancellation);

    private async Task<SubmitResult?> EarlierAsync(JobsDbContext db, NewJob job, CancellationToken cancellation)
    {
        var mine = db.Jobs.AsNoTracking().Where(j => j.KeyId == job.KeyId);
        if (job.IdempotencyKey is { } key)
        {
            var earlier = await mine.SingleOrDefaultAsync(j => j.IdempotencyKey == key, cancellation);
            if (earlier is null) return null;
            return earlier.RequestHash == job.RequestHash
                ? new SubmitResult.Existing(earlier.ToJob())
                : new SubmitResult.Conflict(earlier.ToJob());
        }
        if (job is { IsClientRetry: true, RequestHash: { } hash })
        {
            var since = time.GetUtcNow() - RepeatWindow;
            var earlier = await mine.Where(j => j.RequestHash == hash && j.CreatedAt >= since && j.DeletedAt == null)
                .OrderByDescending(j => j.Id).FirstOrDefaultAsync(cancellation);
            if (earlier is not null) return new SubmitResult.Existing(earlier.ToJob());
        }
        return null;
    }

    private async Task<SubmitResult> InsertAsync(JobsDbContext db, NewJob job, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var startTag = await KeyTurn.TakeAsync(db, job.KeyId, job.EstimatedSeconds, jobs: 1, now, cancellation);
        var row = new JobRow
        {
            Id = job.Id,
            KeyId = job.KeyId,
            Model = job.Spec.Model,
            Spec = JsonSerializer.Serialize(job.Spec, ContractsJson.Default.RenderSpec),
            Inputs = JsonSerializer.Serialize(job.Inputs.ToArray(), JobsJson.Default.StoredInputArray),
            State = JobState.Queued,
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
            RemixedFromId = job.RemixedFromId,
            Metadata = job.Metadata is null ? null : JsonSerializer.Serialize(job.Metadata.ToDictionary(), JobsJson.Default.DictionaryStringString),
            WebhookUrl = job.WebhookUrl,
            TraceParent = job.TraceParent,
        };
        db.Jobs.Add(row);
        await db.SaveChangesAsync(cancellation);
        await Outbox.AddAsync(db, job.Id, Outbox.Queued, now, cancellation);
        await JobAnnouncer.NotifyAsync(db, row.Model, row.VramClass, announcer.Sender, cancellation);
        return new SubmitResult.Created(row.ToJob());
    }

    private static bool IsUniqueViolation(DbUpdateException e) => e.InnerException switch
    {
        Npgsql.PostgresException p => p.SqlState == Npgsql.PostgresErrorCodes.UniqueViolation,
        Microsoft.Data.Sqlite.SqliteException s => s.SqliteExtendedErrorCode == 2067,   // SQLITE_CONSTRAINT_UNIQUE
        _ => false,
    };
}
