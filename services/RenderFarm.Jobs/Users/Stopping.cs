using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Users;

/// <summary>How jobs are stopped, one or many: those that wait end at once, those at work are asked to.</summary>
internal static class Stopping
{
    /// <summary>The jobs first and their keys after them, as a lease does: so the two don't wait for each other.</summary>
    /// <returns>How many ended at once.</returns>
    public static async Task<int> StopAsync(JobsDbContext db, JobsWhere which, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var stopped = await JobTransitions.CancelAsync(db, which, now, cancellationToken);
        await JobTransitions.WishCancelAsync(db, which, now, cancellationToken);
        if (stopped > 0)
        {
            var just = JobTransitions.JustCancelled(which);
            await Outbox.AddWhereAsync(db, just, VideoEvent.Cancelled, now, cancellationToken, which.Argument);
            // Work that was never begun is not held against its key
            await db.ExecuteAsync(
                $"""
                UPDATE api_keys SET virtual_time = virtual_time
                    - COALESCE((SELECT SUM(j.estimated_seconds) FROM jobs j WHERE j.key_id = api_keys.id AND {just} AND fence = 0), 0)
                WHERE id IN (SELECT key_id FROM jobs WHERE {just} AND fence = 0)
                """,
                cancellationToken,
                which.Argument,
                ("now", db.Dialect.Time(now))
            );
        }

        return stopped;
    }

    /// <summary>Those of the jobs that a worker is still at, so that it can be told.</summary>
    public static async Task<IReadOnlyList<Job>> HeldAsync(IQueryable<JobRow> jobs, CancellationToken cancellationToken) =>
        (await jobs.AsNoTracking().Where(JobTransitions.IsHeld).ToListAsync(cancellationToken)).ConvertAll(job => job.ToJob());

    /// <summary>A job that was given back to its key when it was cancelled counts again; one that had begun has been paid for.</summary>
    public static Task ChargeAgainAsync(JobsDbContext db, string id, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            """
            UPDATE api_keys SET virtual_time = virtual_time + (SELECT estimated_seconds FROM jobs WHERE id = @id)
            WHERE id = (SELECT key_id FROM jobs WHERE id = @id AND fence = 0)
            """,
            cancellationToken,
            ("id", id)
        );
}
