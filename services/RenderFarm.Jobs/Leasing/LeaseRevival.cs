using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Leasing;

/// <summary>
/// A report under a lease that was taken for lost, of a job that nobody has taken since: nothing was lost after all. Only a
/// newer lease, or an end of the job, ends a lease whose worker is still at work.
/// </summary>
internal static class LeaseRevival
{
    /// <summary>Whether <see cref="TryAsync"/> would do so now.</summary>
    public static async Task<bool> IsPossibleAsync(JobsDbContext db, LeaseId lease, CancellationToken cancellationToken)
    {
        var token = lease.Token.Secret;
        return await db.Jobs.AnyAsync(
            job =>
                job.Id == lease.JobId
                && job.Fence == lease.Fence
                && job.Token == token
                && job.State == JobState.Queued
                && db.LeaseRecords.Any(lost =>
                    lost.JobId == lease.JobId
                    && lost.Fence == lease.Fence
                    && lost.Token == token
                    && lost.Ending == LeaseEnding.Lost
                    && lost.EndedAt == job.QueuedAt
                ),
            cancellationToken
        );
    }

    /// <summary>True when the lease is held again: in the same transaction the report goes on as if it always had been.</summary>
    public static async Task<bool> TryAsync(
        JobsDbContext db,
        LeaseId lease,
        double seconds,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (!await JobTransitions.ReviveAsync(db, lease, seconds, cancellationToken))
        {
            return false;
        }

        db.Revived++;
        await db.ExecuteAsync(
            $"""
            UPDATE lease_records SET
                ended_at = NULL, ending = NULL, reason = NULL, message = NULL, outcome_state = NULL, retry_after_seconds = NULL,
                failures_before = NULL, deaths_before = NULL, best_step_before = NULL, rendering_at = COALESCE(rendering_at, @now)
            WHERE {LeaseRecordRow.OfLease}
            """,
            cancellationToken,
            ("id", lease.JobId),
            ("fence", lease.Fence),
            ("token", lease.Token.Secret),
            ("now", db.Dialect.Time(now))
        );
        await JobTransitions.NoteStartAsync(db, lease.JobId, now, cancellationToken);
        await Outbox.AddAsync(db, lease.JobId, VideoEvent.Started, now, cancellationToken);
        return true;
    }
}
