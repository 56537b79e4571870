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
        var day = DayOf(now);
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
        RequireDay(turn.Today, turn.PerDay, day);
        if (turn.Queued is { } queued)
        {
            await RequireRoomAsync(db, keyId, queued, jobs, cancellationToken);
        }

        return turn.Tag;
    }

    /// <summary>After a job has come back to the queue: its place on the clock is the old one, but it is one more of the day.</summary>
    /// <exception cref="QuotaExceededException">The transaction must not be committed.</exception>
    public static async Task TakeAgainAsync(JobsDbContext db, string keyId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var day = DayOf(now);
        var turns = await db.RowsAsync(
            """
            UPDATE api_keys SET day = @day, day_jobs = CASE WHEN day = @day THEN day_jobs ELSE 0 END + 1
            WHERE id = @key
            RETURNING day_jobs, max_per_day, max_queued
            """,
            row => (Today: row.GetInt32(0), PerDay: row.IntOrNull(1), Queued: row.IntOrNull(2)),
            cancellationToken,
            ("day", day),
            ("key", keyId)
        );
        if (turns is not [var turn])
        {
            return;
        }

        RequireDay(turn.Today, turn.PerDay, day);
        if (turn.Queued is { } queued)
        {
            await RequireRoomAsync(db, keyId, queued, more: 0, cancellationToken);
        }
    }

    private static int DayOf(DateTimeOffset now) => (int)(now.ToUnixTimeSeconds() / DaySeconds);

    private static void RequireDay(int today, int? perDay, int day)
    {
        if (perDay is { } most && today > most)
        {
            throw new QuotaExceededException(Quota.PerDay, most, DateTimeOffset.FromUnixTimeSeconds((day + 1L) * DaySeconds));
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
