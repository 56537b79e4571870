using System.Globalization;
using System.Text.Json;
using Npgsql;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs.Persistence;

/// <summary><c>queued → leased</c>: the choice of a job and its first step are one statement, in the words of each store.</summary>
internal static partial class JobTransitions
{
    /// <summary>Transactions that hold a waiting job last milliseconds; one of a frozen process, until the server ends it.</summary>
    public static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(1);

    /// <summary>Gives the slot the best of the jobs it is offered, under the next fence and a new token. Null: there is none.</summary>
    public static async Task<TakenJob?> TakeAsync(JobsDbContext db, SlotOffer offer, CancellationToken cancellationToken)
    {
        if (!ReferenceEquals(db.Dialect, SqlDialect.Postgres))
        {
            return await TakeAsync(db, TakeSql.OnSqlite, QueuesOnSqlite(offer), offer, cancellationToken);
        }

        (string, object?)[] queues = [.. QueuesOnPostgres(offer)];
        if (await TakeAsync(db, TakeSql.OnPostgres, queues, offer, cancellationToken) is { } taken)
        {
            return taken;
        }

        var any = await db.RowsAsync(
            TakeSql.AnyOnPostgres,
            row => row.GetBoolean(0),
            cancellationToken,
            [.. queues, ("free", offer.FreeBytes), ("worker", offer.WorkerId), ("slot", offer.SlotId)]
        );
        return any.Single() ? await TakeLetGoAsync(db, queues, offer, cancellationToken) : null;
    }

    /// <summary>
    /// A job is there and somebody's transaction holds its row. That may come to nothing: a lease whose asker went away, a retry
    /// without room. Only the end of it tells, and to answer "nothing" before would be a guess.
    /// </summary>
    private static async Task<TakenJob?> TakeLetGoAsync(
        JobsDbContext db,
        (string, object?)[] queues,
        SlotOffer offer,
        CancellationToken cancellationToken
    )
    {
        await db.ExecuteAsync(
            string.Create(CultureInfo.InvariantCulture, $"SAVEPOINT before; SET LOCAL lock_timeout = {LockPatience.TotalMilliseconds:0}"),
            cancellationToken
        );
        try
        {
            var taken = await TakeAsync(db, TakeSql.LetGoOnPostgres, queues, offer, cancellationToken);
            await db.ExecuteAsync("SET LOCAL lock_timeout = DEFAULT", cancellationToken);
            return taken;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // Who holds it for so long is not coming back soon; this slot looks again with its next request
            await db.ExecuteAsync("ROLLBACK TO SAVEPOINT before", cancellationToken);
            return null;
        }
    }

    private static async Task<TakenJob?> TakeAsync(
        JobsDbContext db,
        string sql,
        IEnumerable<(string, object?)> queues,
        SlotOffer offer,
        CancellationToken cancellationToken
    )
    {
        var token = LeaseToken.New();
        var taken = await db.RowsAsync(
            sql,
            row => new TakenJob(
                new LeaseId(row.GetString(0), row.GetInt64(1), token),
                row.GetInt32(2),
                row.GetInt32(3),
                row.GetString(4),
                row.GetString(5),
                row.TextOrNull(6),
                row.GetDouble(7),
                row.GetInt32(8),
                row.GetDouble(9),
                row.TextOrNull(10),
                row.DoubleOrNull(11)
            ),
            cancellationToken,
            [
                .. queues,
                ("free", offer.FreeBytes),
                ("head_start", offer.CachedHeadStartSeconds),
                ("token", token.Secret),
                ("worker", offer.WorkerId),
                ("slot", offer.SlotId),
                ("seconds", offer.LeaseSeconds),
            ]
        );
        return taken.SingleOrDefault();
    }

    private static IEnumerable<(string, object?)> QueuesOnPostgres(SlotOffer offer) =>
        [
            ("models", offer.Queues.Select(queue => queue.Model).ToArray()),
            ("classes", offer.Queues.Select(queue => queue.VramClass).ToArray()),
            ("needed", offer.Queues.Select(queue => queue.Needed).ToArray()),
            ("elsewhere", offer.Queues.Select(queue => (int)queue.Elsewhere).ToArray()),
            ("cached", offer.CachedModels.ToArray()),
        ];

    private static IEnumerable<(string, object?)> QueuesOnSqlite(SlotOffer offer)
    {
        var queues = offer.Queues.Select(queue =>
            $"[{JsonSerializer.Serialize(queue.Model, JobsJson.Default.String)},{queue.VramClass},{(queue.Needed ? 1 : 0)},"
            + $"{(int)queue.Elsewhere}]"
        );
        return
        [
            ("queues", $"[{string.Join(',', queues)}]"),
            ("cached", JsonSerializer.Serialize(offer.CachedModels.ToArray(), JobsJson.Default.StringArray)),
        ];
    }

    /// <summary>The statement itself. A class of its own: it is written once, from words that must be there before.</summary>
    private static class TakeSql
    {
        /// <summary>
        /// Passes over rows that others hold, which are as good as taken: slots that ask together don't wait for each other, and get
        /// different jobs.
        /// </summary>
        public static readonly string OnPostgres = ForPostgres("FOR NO KEY UPDATE SKIP LOCKED");

        /// <summary>Waits for who holds a row, and takes it if it was let go as it was.</summary>
        public static readonly string LetGoOnPostgres = ForPostgres("FOR NO KEY UPDATE");

        /// <summary>Whether a job is there, held or not.</summary>
        public static readonly string AnyOnPostgres = $"""
            SELECT EXISTS (
                SELECT 1 FROM (
                    SELECT * FROM unnest(@models, @classes, @elsewhere) AS o(model, vram_class, elsewhere)
                    WHERE {IsOffered("o.model")} OFFSET 0) m
                CROSS JOIN LATERAL (
                    SELECT 1 FROM jobs q
                    WHERE q.model = m.model AND q.vram_class = m.vram_class AND {Fits(SqlDialect.Postgres, "m")}
                    LIMIT 1) one)
            """;

        // One writer at a time: what was chosen can't be taken by another before it is updated. The first of each line by its index,
        // and the best of those: a sort of all that wait takes longer the more there are
        public static readonly string OnSqlite = $"""
            UPDATE jobs SET {Taking(SqlDialect.Sqlite)}
            WHERE id = (
                SELECT h.id
                FROM (
                    SELECT m.needed AS needed, (
                        SELECT q.id FROM jobs q
                        WHERE q.model = m.model AND q.vram_class = m.vram_class AND {Fits(SqlDialect.Sqlite, "m")}
                        ORDER BY q.order_key, q.id LIMIT 1) AS id
                    FROM (
                        SELECT value ->> 0 AS model, value ->> 1 AS vram_class, value ->> 2 AS needed, value ->> 3 AS elsewhere
                        FROM json_each(@queues)
                        WHERE {IsOffered("value ->> 0")}) m) line
                JOIN jobs h ON h.id = line.id
                ORDER BY line.needed DESC,
                    h.order_key - CASE WHEN h.model IN (SELECT value FROM json_each(@cached)) THEN @head_start ELSE 0 END, h.id
                LIMIT 1)
            RETURNING {Taken(SqlDialect.Sqlite)}
            """;

        // For each (model, class) the index gives its first row at once; the pairs are then tried in the order of those first
        // rows, those first that need this slot. The inner select runs only until one row is locked: nothing is locked that is not
        // taken.
        private static string ForPostgres(string locking) =>
            $"""
                WITH picked AS MATERIALIZED (
                    SELECT next.id
                    FROM (
                        SELECT m.model, m.vram_class, m.elsewhere
                        FROM (
                            SELECT * FROM unnest(@models, @classes, @needed, @elsewhere) AS o(model, vram_class, needed, elsewhere)
                            WHERE {IsOffered("o.model")} OFFSET 0) m
                        CROSS JOIN LATERAL (
                            SELECT q.order_key FROM jobs q
                            WHERE q.model = m.model AND q.vram_class = m.vram_class AND {Fits(SqlDialect.Postgres, "m")}
                            ORDER BY q.order_key LIMIT 1) head
                        ORDER BY m.needed DESC, head.order_key - CASE WHEN m.model = ANY(@cached) THEN @head_start ELSE 0 END
                        OFFSET 0) pair
                    CROSS JOIN LATERAL (
                        SELECT q.id FROM jobs q
                        WHERE q.model = pair.model AND q.vram_class = pair.vram_class AND {Fits(SqlDialect.Postgres, "pair")}
                        ORDER BY q.order_key LIMIT 1
                        {locking}) next
                    LIMIT 1)
                UPDATE jobs SET {Taking(SqlDialect.Postgres)}
                FROM picked WHERE jobs.id = picked.id
                RETURNING {Taken(SqlDialect.Postgres)}
            """;

        private static string Fits(SqlDialect dialect, string line) =>
            $"q.{Take.Where} AND q.least_vram_bytes <= @free AND (q.not_before IS NULL OR q.not_before <= {dialect.Now}) "
            + $"AND (q.avoid_until IS NULL OR q.avoid_until <= {dialect.Now} OR q.avoid_worker_id <> @worker "
            + $"OR {line}.elsewhere = {(int)Elsewhere.Nowhere} "
            + $"OR ({line}.elsewhere = {(int)Elsewhere.OtherSlot} AND q.avoid_slot_id <> @slot)) "
            + $"AND q.key_id NOT IN ({HeldBackKeys}) AND (q.key_id, q.model) NOT IN ({PausedPairs})";

        private static string Taking(SqlDialect dialect) =>
            $"""
                state = '{Take.Into(JobState.Leased)}', stage = '{Word.Of(RenderStage.Loading)}', step = 0, steps = 0, not_before = NULL,
                avoid_worker_id = NULL, avoid_slot_id = NULL, avoid_until = NULL,
                fence = fence + 1, token = @token,
                lease_worker_id = @worker, lease_slot_id = @slot, lease_until = {dialect.NowPlus("@seconds")}
                """;

        private static string Taken(SqlDialect dialect) =>
            $"jobs.id, fence, failures, step_downs, spec, inputs, trace_parent, {dialect.SecondsSince("created_at")}, jobs.vram_class, "
            + dialect.SecondsSince("queued_at")
            + ", (SELECT k.class FROM api_keys k WHERE k.id = jobs.key_id), promised_seconds";
    }
}

/// <summary>What a slot asks for work with.</summary>
internal sealed record SlotOffer
{
    public required string WorkerId { get; init; }
    public required string SlotId { get; init; }
    public required long FreeBytes { get; init; }

    /// <summary>
    /// The lines whose jobs it may be given; those that no smaller slot serves need it, and go first. A job that failed here is not
    /// among them while another could take it.
    /// </summary>
    public required IReadOnlyList<(string Model, int VramClass, bool Needed, Elsewhere Elsewhere)> Queues { get; init; }

    /// <summary>Go before others by so much queued work as <see cref="CachedHeadStartSeconds"/> says.</summary>
    public required IReadOnlyList<string> CachedModels { get; init; }
    public required double CachedHeadStartSeconds { get; init; }
    public required double LeaseSeconds { get; init; }
}

/// <summary>A job that was taken, as far as its worker needs it.</summary>
/// <param name="Spec">JSON, as is <paramref name="Inputs"/>.</param>
/// <param name="WaitedSeconds">Since the submission, by the database's clock.</param>
/// <param name="KeyClass">Null: the default one.</param>
/// <param name="PromisedSeconds">Of what <paramref name="WaitedSeconds"/> was to be; null where nothing was promised.</param>
/// <param name="QueuedSeconds">Since it came, or came back, to the queue, by the same.</param>
internal sealed record TakenJob(
    LeaseId Lease,
    int Failures,
    int StepDowns,
    string Spec,
    string Inputs,
    string? TraceParent,
    double WaitedSeconds,
    int VramClass,
    double QueuedSeconds,
    string? KeyClass,
    double? PromisedSeconds
);
