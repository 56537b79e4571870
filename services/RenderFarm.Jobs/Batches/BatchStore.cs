using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Batches;

/// <summary>Batches: taken whole or not at all, watched by counting, stopped in one go.</summary>
public sealed class BatchStore(JobDatabase database, JobAnnouncer announcer, TimeProvider time)
{
    private const string Prefix = "batch_";

    /// <summary>Whether the text has the form of an id; a batch of that id need not exist.</summary>
    public static bool IsId(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Prefix, StringComparison.Ordinal) && Guid.TryParseExact(text[Prefix.Length..], "N", out _);
    }

    public static string NewId(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Prefix + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
    }

    /// <summary>All jobs in one transaction, with their events; a batch that came before is not taken twice.</summary>
    /// <param name="jobs">In the order of their lines; each has the batch's id and its line. They may be read several times.</param>
    /// <exception cref="Keys.QuotaExceededException">The key has no room for all of them.</exception>
    public async Task<BatchResult> SubmitAsync(NewBatch batch, IReadOnlyCollection<NewJob> jobs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(jobs);
        try
        {
            if (await EarlierAsync(batch, cancellationToken) is { } earlier)
            {
                return earlier;
            }

            var now = time.GetUtcNow();
            var result = await database.WriteAsync<JobTransitions.StagedJobs?, BatchResult>(
                async db =>
                    db.Dialect.HasOneWriter ? await JobTransitions.StageAsync(db, JobRows.Of(jobs, 0, now), cancellationToken) : null,
                async (db, staged) =>
                    await EarlierAsync(db, batch, cancellationToken)
                    ?? await InsertAsync(db, RowOf(batch, jobs.Count, now), jobs, staged, cancellationToken),
                cancellationToken,
                StorePatience.Many
            );
            if (result is BatchResult.Created { Joined: var joined })
            {
                foreach (var job in joined)
                {
                    announcer.Committed(new Announcement(job.Id, Fence: 0, job.Model, job.VramClass));
                }
            }

            return result;
        }
        catch (DbUpdateException e) when (batch.IdempotencyKey is not null && Stores.IsUniqueViolation(e))
        {
            return await database.ReadAsync(db => EarlierAsync(db, batch, cancellationToken), cancellationToken)
                ?? throw new InvalidOperationException($"Idempotency key {batch.IdempotencyKey} is taken, and by nobody.", e);
        }
    }

    /// <summary>What came of this batch when it was sent before; null where it wasn't.</summary>
    public Task<BatchResult?> EarlierAsync(NewBatch batch, CancellationToken cancellationToken) =>
        database.ReadAsync(db => EarlierAsync(db, batch, cancellationToken), cancellationToken);

    /// <summary>Null for an id that does not exist or belongs to another key.</summary>
    public Task<Batch?> GetAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async db =>
            {
                var row = await FindAsync(db, id, scope, cancellationToken);
                return row is null ? null : await CountedAsync(db, row, cancellationToken);
            },
            cancellationToken
        );

    /// <summary>A page by submission time. <paramref name="after"/> is the last id of the page before; ids sort by time.</summary>
    public Task<BatchPage> ListAsync(JobScope scope, int limit, string? after, bool ascending, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async db =>
            {
                var batches = db.Batches.AsNoTracking().Where(b => scope.KeyId == null || b.KeyId == scope.KeyId);
                if (after is not null)
                {
                    batches = ascending
                        ? batches.Where(b => string.Compare(b.Id, after) > 0)
                        : batches.Where(b => string.Compare(b.Id, after) < 0);
                }
                batches = ascending ? batches.OrderBy(b => b.Id) : batches.OrderByDescending(b => b.Id);
                var rows = await batches.Take(limit + 1).ToListAsync(cancellationToken);
                return new BatchPage(await CountedAsync(db, [.. rows.Take(limit)], cancellationToken), rows.Count > limit);
            },
            cancellationToken
        );

    /// <summary>Jobs of a batch in the order of their lines, after one of them. Deleted ones are left out.</summary>
    public Task<IReadOnlyList<Job>> JobsAsync(string id, int afterLine, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<Job>>(
            async db =>
                await LinesAsync(db, id, lines => lines.Where(j => j.BatchLine > afterLine), ascending: true, limit, cancellationToken),
            cancellationToken
        );

    /// <summary>A page of a batch's jobs by their lines; the caller has checked that the batch may be seen.</summary>
    /// <param name="after">The last job of the page before, which may have been deleted since. Null, where it is none of the batch.</param>
    public Task<JobPage?> PageAsync(
        string id,
        int limit,
        string? after,
        bool ascending,
        CancellationToken cancellationToken
    ) =>
        database.ReadAsync(
            async db =>
            {
                int? line = null;
                if (after is not null)
                {
                    line = await db
                        .Jobs.Where(j => j.Id == after && j.BatchId == id)
                        .Select(j => j.BatchLine)
                        .SingleOrDefaultAsync(cancellationToken);
                    if (line is null)
                    {
                        return null;
                    }
                }

                var jobs = await LinesAsync(
                    db,
                    id,
                    lines =>
                        line is null ? lines
                        : ascending ? lines.Where(j => j.BatchLine > line)
                        : lines.Where(j => j.BatchLine < line),
                    ascending,
                    limit + 1,
                    cancellationToken
                );
                var shown = jobs.Take(limit).ToList();
                return new JobPage(shown, jobs.Count > limit, shown.Count > 0 ? shown[^1].Id : null);
            },
            cancellationToken
        );

    /// <summary>
    /// Ends every queued job at once and asks for the end of those at work: these are returned, so that their workers can be
    /// told. Null: not found.
    /// </summary>
    public Task<BatchStopped?> CancelAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
                await FindAsync(db, id, scope, cancellationToken) is { } row ? await StopAsync(db, row, cancellationToken) : null,
            cancellationToken
        );

    /// <summary>
    /// Stops the batch as <see cref="CancelAsync"/> does, and makes it and its jobs invisible; their objects are the janitor's. The
    /// batch as it was at that moment; null: not found.
    /// </summary>
    public Task<BatchStopped?> DeleteAsync(string id, JobScope scope, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
            {
                if (await FindAsync(db, id, scope, cancellationToken) is not { } row)
                {
                    return null;
                }

                var stopped = await StopAsync(db, row, cancellationToken);
                await JobTransitions.HideAsync(db, JobsWhere.OfBatch(id), time.GetUtcNow(), cancellationToken);
                await db.Batches.Where(b => b.Id == id).ExecuteDeleteAsync(cancellationToken);
                return stopped;
            },
            cancellationToken,
            StorePatience.Many
        );

    private static Task<BatchRow?> FindAsync(JobsDbContext db, string id, JobScope scope, CancellationToken cancellationToken) =>
        db
            .Batches.AsNoTracking()
            .SingleOrDefaultAsync(b => b.Id == id && (scope.KeyId == null || b.KeyId == scope.KeyId), cancellationToken);

    private static async Task<List<Job>> LinesAsync(
        JobsDbContext db,
        string id,
        Func<IQueryable<JobRow>, IQueryable<JobRow>> which,
        bool ascending,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var lines = which(db.Jobs.AsNoTracking().Where(j => j.BatchId == id && j.DeletedAt == null));
        lines = ascending ? lines.OrderBy(j => j.BatchLine) : lines.OrderByDescending(j => j.BatchLine);
        return (await lines.Take(limit).ToListAsync(cancellationToken)).ConvertAll(row => row.ToJob());
    }

    private async Task<BatchStopped?> StopAsync(JobsDbContext db, BatchRow row, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (id, at) = (row.Id, db.Dialect.Time(now));
        await db.ExecuteAsync(
            "UPDATE batches SET cancelled_at = COALESCE(cancelled_at, @now) WHERE id = @id",
            cancellationToken,
            ("id", id),
            ("now", at)
        );
        await Stopping.StopAsync(db, JobsWhere.OfBatch(id), now, cancellationToken);
        var held = await Stopping.HeldAsync(db.Jobs.Where(j => j.BatchId == id), cancellationToken);
        row.CancelledAt ??= now;
        return new BatchStopped(await CountedAsync(db, row, cancellationToken), held);
    }

    private static async Task<Batch> CountedAsync(JobsDbContext db, BatchRow row, CancellationToken cancellationToken) =>
        (await CountedAsync(db, [row], cancellationToken))[0];

    /// <summary>Batches with what became of their jobs, in the order of the rows; one question for all.</summary>
    private static async Task<IReadOnlyList<Batch>> CountedAsync(
        JobsDbContext db,
        IReadOnlyList<BatchRow> rows,
        CancellationToken cancellationToken
    )
    {
        var ids = rows.Select(row => row.Id).ToList();
        var counts = await db
            .Jobs.Where(j => j.BatchId != null && ids.Contains(j.BatchId) && j.DeletedAt == null)
            .GroupBy(j => new { j.BatchId, j.State })
            .Select(g => new StateCount(g.Key.BatchId!, g.Key.State, g.Count(), g.Max(j => j.FinishedAt)))
            .ToListAsync(cancellationToken);
        var ofBatch = counts.ToLookup(count => count.BatchId);
        return [.. rows.Select(row => Counted(row, [.. ofBatch[row.Id]]))];
    }

    private static Batch Counted(BatchRow row, IReadOnlyList<StateCount> counts)
    {
        var over = counts.All(c => c.State is JobState.Completed or JobState.Failed or JobState.Cancelled or JobState.Expired);
        return new Batch
        {
            Id = row.Id,
            KeyId = row.KeyId,
            Total = row.Total,
            CreatedAt = row.CreatedAt,
            CancelledAt = row.CancelledAt,
            FinishedAt = over ? counts.Max(c => c.Last) : null,
            Metadata = row.Metadata is null ? null : JsonSerializer.Deserialize(row.Metadata, JobsJson.Default.DictionaryStringString),
            Counts = counts.ToDictionary(c => c.State, c => c.Count),
        };
    }

    private sealed record StateCount(string BatchId, JobState State, int Count, DateTimeOffset? Last);

    private async Task<BatchResult?> EarlierAsync(JobsDbContext db, NewBatch batch, CancellationToken cancellationToken)
    {
        var mine = db.Batches.AsNoTracking().Where(b => b.KeyId == batch.KeyId);
        if (batch.IdempotencyKey is { } key)
        {
            if (await mine.SingleOrDefaultAsync(b => b.IdempotencyKey == key, cancellationToken) is not { } marked)
            {
                return null;
            }

            var found = await CountedAsync(db, marked, cancellationToken);
            return marked.RequestHash == batch.RequestHash ? new BatchResult.Existing(found) : new BatchResult.Conflict(found);
        }
        if (batch is not { IsClientRetry: true, RequestHash: { } hash })
        {
            return null;
        }

        var since = time.GetUtcNow() - JobSubmission.RepeatWindow;
        var earlier = await mine.Where(b => b.RequestHash == hash && b.CreatedAt >= since)
            .OrderByDescending(b => b.Id)
            .FirstOrDefaultAsync(cancellationToken);
        return earlier is null ? null : new BatchResult.Existing(await CountedAsync(db, earlier, cancellationToken));
    }

    private static BatchRow RowOf(NewBatch batch, int total, DateTimeOffset now) =>
        new()
        {
            Id = batch.Id,
            KeyId = batch.KeyId,
            Total = total,
            CreatedAt = now,
            IdempotencyKey = batch.IdempotencyKey,
            RequestHash = batch.RequestHash,
            Metadata = batch.Metadata is null
                ? null
                : JsonSerializer.Serialize(batch.Metadata.ToDictionary(), JobsJson.Default.DictionaryStringString),
        };

    /// <param name="staged">Null where many may write at once: there the rows go into their table as they are made.</param>
    private async Task<BatchResult> InsertAsync(
        JobsDbContext db,
        BatchRow row,
        IReadOnlyCollection<NewJob> jobs,
        JobTransitions.StagedJobs? staged,
        CancellationToken cancellationToken
    )
    {
        db.Batches.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        if (staged is not null)
        {
            await JobRows.MoveAsync(db, row, staged, announcer.Sender, cancellationToken);
        }
        else
        {
            await JobRows.CopyAsync(db, row, jobs, announcer.Sender, cancellationToken);
        }

        return new BatchResult.Created(await CountedAsync(db, row, cancellationToken)) { Joined = db.Joined };
    }
}

/// <param name="Held">Jobs that a worker is still at.</param>
public sealed record BatchStopped(Batch Batch, IReadOnlyList<Job> Held);

/// <param name="HasMore">There are batches behind this page.</param>
public sealed record BatchPage(IReadOnlyList<Batch> Batches, bool HasMore);
