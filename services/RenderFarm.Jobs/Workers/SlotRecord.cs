using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Workers;

/// <summary>
/// How each slot has fared: which jobs failed on it, one after the other, and which of those went well on another. Everything here is part
/// of a transaction that somebody else has begun.
/// </summary>
internal static class SlotRecord
{
    /// <summary>So many jobs in a row that failed on one slot and went well elsewhere: it is not the jobs.</summary>
    public const int EnoughFailures = 3;

    private static readonly string ByWorker = Word.Of(QuarantineSource.Worker);
    private static readonly string ByFarm = Word.Of(QuarantineSource.Farm);

    /// <summary>The job failed on the slot that had it, for a reason that may be the slot's.</summary>
    public static Task FailedAsync(JobsDbContext db, JobRow job, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            """
            INSERT INTO slot_failures (worker_id, slot_id, job_id, failed_at, elsewhere)
            SELECT @worker, @slot, @job, @now, FALSE WHERE EXISTS (SELECT 1 FROM workers WHERE id = @worker)
            ON CONFLICT (worker_id, slot_id, job_id) DO UPDATE SET failed_at = excluded.failed_at, elsewhere = FALSE
            """,
            cancellationToken,
            ("worker", job.LeaseWorkerId),
            ("slot", job.LeaseSlotId),
            ("job", job.Id),
            ("now", db.Dialect.Time(now))
        );

    /// <summary>
    /// The job went well on the slot that had it: what failed there is no row of failures, and where this one had failed it is.
    /// </summary>
    /// <returns>True where another slot may have to be judged.</returns>
    public static async Task<bool> CompletedAsync(JobsDbContext db, JobRow job, CancellationToken cancellationToken)
    {
        (string, object?)[] slot = [("worker", job.LeaseWorkerId), ("slot", job.LeaseSlotId)];
        await db.ExecuteAsync("DELETE FROM slot_failures WHERE worker_id = @worker AND slot_id = @slot", cancellationToken, slot);
        return await db.ExecuteAsync(
                "UPDATE slot_failures SET elsewhere = TRUE WHERE job_id = @job",
                cancellationToken,
                ("job", job.Id)
            ) > 0;
    }

    /// <summary>Quarantines the slots on which enough jobs failed in a row that went well elsewhere.</summary>
    /// <returns>How many.</returns>
    public static Task<int> JudgeAsync(JobsDbContext db, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            $"""
            INSERT INTO slot_quarantines (worker_id, slot_id, "by", reason, since, resume)
            SELECT worker_id, slot_id, '{ByFarm}', @reason, @now, FALSE FROM slot_failures
            WHERE elsewhere GROUP BY worker_id, slot_id HAVING COUNT(*) >= {EnoughFailures}
            ON CONFLICT DO NOTHING
            """,
            cancellationToken,
            (
                "reason",
                $"{EnoughFailures} jobs in a row failed here and went well elsewhere; look at their attempts and at this host, then resume "
                    + "the slot"
            ),
            ("now", db.Dialect.Time(now))
        );

    /// <summary>Nothing is held against the slots from here on; their worker's own word stands until it has looked again.</summary>
    /// <param name="slotId">Null: all of the worker's.</param>
    public static async Task ResumeAsync(JobsDbContext db, string workerId, string? slotId, CancellationToken cancellationToken)
    {
        const string OfSlot = "worker_id = @worker AND (@all > 0 OR slot_id = @slot)";
        (string, object?)[] slot = [("worker", workerId), ("all", slotId is null ? 1 : 0), ("slot", slotId ?? "")];
        await db.ExecuteAsync($"""DELETE FROM slot_quarantines WHERE {OfSlot} AND "by" = '{ByFarm}'""", cancellationToken, slot);
        await db.ExecuteAsync($"UPDATE slot_quarantines SET resume = TRUE WHERE {OfSlot}", cancellationToken, slot);
        await db.ExecuteAsync($"DELETE FROM slot_failures WHERE {OfSlot}", cancellationToken, slot);
    }

    /// <summary>What a worker says of its slots takes the place of what it said before. Wishes that concern another fault lapse.</summary>
    public static async Task ReportedAsync(
        JobsDbContext db,
        string workerId,
        RegisterWorkerRequest request,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var known = await db.RowsAsync(
            $"""SELECT slot_id FROM slot_quarantines WHERE worker_id = @worker AND "by" = '{ByWorker}'""",
            row => row.GetString(0),
            cancellationToken,
            ("worker", workerId)
        );
        foreach (var well in known.Except(request.Slots.Where(slot => slot.Quarantine is not null).Select(slot => slot.Id)))
        {
            await db.ExecuteAsync(
                $"""DELETE FROM slot_quarantines WHERE worker_id = @worker AND slot_id = @slot AND "by" = '{ByWorker}'""",
                cancellationToken,
                ("worker", workerId),
                ("slot", well)
            );
        }

        foreach (var slot in request.Slots.Where(slot => slot.Quarantine is not null))
        {
            var since = slot.QuarantinedAt is { } at ? DateTimeOffset.FromUnixTimeSeconds(at) : now;
            await db.ExecuteAsync(
                $"""
                INSERT INTO slot_quarantines (worker_id, slot_id, "by", reason, since, resume)
                VALUES (@worker, @slot, '{ByWorker}', @reason, @since, FALSE)
                ON CONFLICT (worker_id, slot_id, "by") DO UPDATE SET
                    reason = excluded.reason,
                    resume = slot_quarantines.resume AND slot_quarantines.since = excluded.since,
                    since = CASE WHEN @told > 0 THEN excluded.since ELSE slot_quarantines.since END
                """,
                cancellationToken,
                ("worker", workerId),
                ("slot", slot.Id),
                ("reason", slot.Quarantine),
                ("since", db.Dialect.Time(since)),
                ("told", slot.QuarantinedAt is null ? 0 : 1)
            );
        }
    }
}
