using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Intake;

/// <summary>
/// A key's turn to submit: its place on the virtual clock, and its quotas. The statement locks the key's row until the
/// end of the transaction, so what is counted here can't be overtaken by the same key on another connection.
/// </summary>
internal static class KeyTurn
{
    private const int DaySeconds = 86_400;

    /// <param name="seconds">The work of all the jobs together, by which the clock moves on.</param>
    /// <returns>The start tag of the first of them.</returns>
    /// <exception cref="QuotaExceededException">The transaction must not be committed.</exception>
    public static async Task<double> TakeAsync(
        JobsDbContext db,
        string keyId,
        double seconds,
        int jobs,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var day = (int)(now.ToUnixTimeSeconds() / DaySeconds);
        var turns = await db.RowsAsync(
            $"""
            UPDATE api_keys
            SET virtual_time = {db.Dialect.Greatest}(virtual_time, COALESCE((SELECT virtual_time FROM fair_clock), 0)) + @seconds,
                day = @day, day_jobs = CASE WHEN day = @day THEN day_jobs ELSE 0 END + @jobs
            WHERE id = @key
            RETURNING virtual_time - @seconds, day_jobs, max_per_day, max_queued
            """,
            row => (Tag: row.GetDouble(0), Today: row.GetInt32(1), PerDay: row.IntOrNull(2), Queued: row.IntOrNull(3)),
            cancellationToken,
            ("seconds", seconds),
            ("day", day),
            ("jobs", jobs),
            ("key", keyId)
        );
        if (turns.Count == 0)
        {
            throw new InvalidOperationException($"There is no API key {keyId}.");
        }

        var turn = turns[0];
        if (turn.PerDay is { } perDay && turn.Today > perDay)
        {
            throw new QuotaExceededException(Quota.PerDay, perDay, DateTimeOffset.FromUnixTimeSeconds((day + 1L) * DaySeconds));
        }

        if (turn.Queued is { } queued)
        {
            await RequireRoomAsync(db, keyId, queued, jobs, cancellationToken);
        }

        return turn.Tag;
    }

    /// <summary>After a job has come back to the queue: it takes no turn, but it needs room.</summary>
    public static async Task RequireRoomAsync(JobsDbContext db, string keyId, CancellationToken cancellationToken)
    {
        // An update that changes nothing is the lock that both stores have
        var limits = await db.RowsAsync(
            "UPDATE api_keys SET max_queued = max_queued WHERE id = @key RETURNING max_queued",
            row => row.IntOrNull(0),
            cancellationToken,
            ("key", keyId)
        );
        if (limits.SingleOrDefault() is { } queued)
        {
            await RequireRoomAsync(db, keyId, queued, more: 0, cancellationToken);
        }
    }

    private static async Task RequireRoomAsync(JobsDbContext db, string keyId, int limit, int more, CancellationToken cancellationToken)
    {
        var waiting = await db.RowsAsync(
            $"SELECT COUNT(*) FROM (SELECT 1 AS one FROM jobs WHERE key_id = @key AND {JobTransitions.Queued} LIMIT @enough) waiting",
            row => row.GetInt64(0),
            cancellationToken,
            ("key", keyId),
            ("enough", limit + 1L)
        );
        if (waiting[0] + more > limit)
        {
            throw new QuotaExceededException(Quota.Queued, limit, null);
        }
    }
}
