using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Leasing;

/// <summary>The statement that takes the next job off the queue, and its record.</summary>
internal static class LeaseQueue
{
    /// <summary>A job whose model the host already holds goes before others by as much queued work, and no more.</summary>
    private const double CachedHeadStartSeconds = 60;

    private static string Fits(SqlDialect dialect) =>
        $"q.state = 'queued' AND q.least_vram_bytes <= @free AND (q.not_before IS NULL OR q.not_before <= {dialect.Now}) AND q.key_id NOT "
        + $"IN ({FullKeys})";

    /// <summary>Keys that run as many jobs as they may; their other jobs wait. Said of keys without a limit first, so that nothing is
    /// counted for them.</summary>
    internal const string FullKeys = """
        SELECT k.id FROM api_keys k
        WHERE k.max_running IS NOT NULL AND k.max_running <= (SELECT COUNT(*) FROM jobs r WHERE r.key_id = k.id
            AND r.state IN ('leased', 'rendering'))
        """;

    private static string Take(SqlDialect dialect) =>
        $"""
            state = 'leased', stage = 'loading', step = 0, steps = 0, fence = fence + 1, not_before = NULL,
            lease_worker_id = @worker, lease_slot_id = @slot, lease_until = {dialect.NowPlus("@seconds")}
            """;

    private static string Taken(SqlDialect dialect) =>
        $"jobs.id, fence, attempt, step_downs, spec, inputs, trace_parent, {dialect.SecondsSince("created_at")}";

    // For each (model, class) the index gives its first row at once; the pairs are then tried in the order of those first
    // rows, those first that need this slot. The inner select runs only until one row is locked, so nothing is locked that is not taken.
    private static readonly string Postgres = $"""
        WITH picked AS MATERIALIZED (
            SELECT next.id
            FROM (
                SELECT m.model, m.vram_class
                FROM unnest(@models, @classes, @needed) AS m(model, vram_class, needed)
                CROSS JOIN LATERAL (
                    SELECT q.order_key FROM jobs q
                    WHERE q.model = m.model AND q.vram_class = m.vram_class AND {Fits(SqlDialect.Postgres)}
                    ORDER BY q.order_key LIMIT 1) head
                ORDER BY m.needed DESC, head.order_key - CASE WHEN m.model = ANY(@cached) THEN @head_start ELSE 0 END
                OFFSET 0) pair
            CROSS JOIN LATERAL (
                SELECT q.id FROM jobs q
                WHERE q.model = pair.model AND q.vram_class = pair.vram_class AND {Fits(SqlDialect.Postgres)}
                ORDER BY q.order_key LIMIT 1
                FOR UPDATE SKIP LOCKED) next
            LIMIT 1)
        UPDATE jobs SET {Take(SqlDialect.Postgres)}
        FROM picked WHERE jobs.id = picked.id
        RETURNING {Taken(SqlDialect.Postgres)}
        """;

    // One writer at a time: what was chosen can't be taken by another before it is updated
    private static readonly string Sqlite = $"""
        UPDATE jobs SET {Take(SqlDialect.Sqlite)}
        WHERE id = (
            SELECT q.id
            FROM (SELECT value ->> 0 AS model, value ->> 1 AS vram_class, value ->> 2 AS needed FROM json_each(@queues)) m
            JOIN jobs q ON q.model = m.model AND q.vram_class = m.vram_class
            WHERE {Fits(SqlDialect.Sqlite)}
            ORDER BY m.needed DESC, q.order_key - CASE WHEN q.model IN (SELECT value FROM json_each(@cached)) THEN @head_start
                ELSE 0 END, q.id
            LIMIT 1)
        RETURNING {Taken(SqlDialect.Sqlite)}
        """;

    /// <summary>Null when there is nothing for this slot.</summary>
    public static async Task<LeasedJob?> TakeAsync(
        JobsDbContext db,
        LeaseRequest request,
        FarmWorker worker,
        SlotDescription slot,
        Fleet fleet,
        double leaseSeconds,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var queues = VramClasses
            .Offered(slot.Kind, request.FreeBytes)
            .SelectMany(vramClass => worker.Models.Select(model => new QueuePair(model, vramClass)))
            .Select(queue => (Queue: queue, Needed: fleet.Needs(slot, queue)))
            .ToArray();
        var onPostgres = ReferenceEquals(db.Dialect, SqlDialect.Postgres);
        var taken = await db.RowsAsync(
            onPostgres ? Postgres : Sqlite,
            row => new LeasedJob
            {
                Id = row.GetString(0),
                Fence = row.GetInt64(1),
                Attempt = row.GetInt32(2) + 1,
                StepDowns = row.GetInt32(3),
                LeaseSeconds = leaseSeconds,
                Spec = JsonSerializer.Deserialize(row.GetString(4), ContractsJson.Default.RenderSpec)!,
                Inputs = JsonSerializer.Deserialize(row.GetString(5), JobsJson.Default.StoredInputArray)!,
                TraceParent = row.TextOrNull(6),
                WaitedSeconds = row.GetDouble(7),
            },
            cancellationToken,
            [
                .. Queues(),
                ("cached", List(request.CachedModels)),
                ("free", request.FreeBytes),
                ("head_start", CachedHeadStartSeconds),
                ("worker", worker.Id),
                ("slot", slot.Id),
                ("seconds", leaseSeconds),
            ]
        );
        if (taken.Count == 0)
        {
            return null;
        }

        db.ChangedQueue = true;

        var job = taken[0];
        if (onPostgres)
        {
            await RequireRunningRoomAsync(db, job.Id, cancellationToken);
        }

        await db.ExecuteAsync(
            """
            INSERT INTO lease_records (job_id, fence, worker_id, slot_id, model, card, driver, worker_version, geometry, attempt,
                step_downs, leased_at)
            VALUES (@job, @fence, @worker, @slot, @model, @card, @driver, @version, @geometry, @attempt, @step_downs, @now)
            """,
            cancellationToken,
            ("job", job.Id),
            ("fence", job.Fence),
            ("worker", worker.Id),
            ("slot", slot.Id),
            ("model", job.Spec.Model),
            ("card", slot.Card),
            ("driver", slot.Driver),
            ("version", worker.Version),
            ("geometry", PlanCorrections.GeometryOf(job.Spec)),
            ("attempt", job.Attempt),
            ("step_downs", job.StepDowns),
            ("now", db.Dialect.Time(now))
        );
        return job;

        IEnumerable<(string, object?)> Queues() =>
            onPostgres
                ?
                [
                    ("models", queues.Select(q => q.Queue.Model).ToArray()),
                    ("classes", queues.Select(q => q.Queue.VramClass).ToArray()),
                    ("needed", queues.Select(q => q.Needed).ToArray()),
                ]
                :
                [
                    (
                        "queues",
                        "["
                            + string.Join(
                                ',',
                                queues.Select(q =>
                                    $"[{JsonSerializer.Serialize(q.Queue.Model, JobsJson.Default.String)},"
                                    + $"{q.Queue.VramClass},{(q.Needed ? 1 : 0)}]"
                                )
                            )
                            + "]"
                    ),
                ];

        object List(IReadOnlyList<string> words) =>
            onPostgres ? words.ToArray() : JsonSerializer.Serialize(words.ToArray(), JobsJson.Default.StringArray);
    }

    /// <summary>
    /// Two leases at the same moment don't see each other in <see cref="FullKeys"/>. The key's row puts them in order, and
    /// the second one counts again. Keys without a limit are not locked.
    /// </summary>
    private static async Task RequireRunningRoomAsync(JobsDbContext db, string jobId, CancellationToken cancellationToken)
    {
        var limits = await db.RowsAsync(
            """
            SELECT k.id, k.max_running FROM api_keys k
            WHERE k.id = (SELECT key_id FROM jobs WHERE id = @job) AND k.max_running IS NOT NULL
            FOR UPDATE
            """,
            row => (Key: row.GetString(0), Most: row.GetInt32(1)),
            cancellationToken,
            ("job", jobId)
        );
        if (limits.Count == 0)
        {
            return;
        }

        var running = await db.RowsAsync(
            "SELECT COUNT(*) FROM jobs WHERE key_id = @key AND state IN ('leased', 'rendering')",
            row => row.GetInt64(0),
            cancellationToken,
            ("key", limits[0].Key)
        );
        if (running[0] > limits[0].Most)
        {
            throw new RunningQuotaMetException();
        }
    }
}

/// <summary>The job that was taken is one too many of its key: the transaction is rolled back, and the slot looks again.</summary>
internal sealed class RunningQuotaMetException : Exception;
