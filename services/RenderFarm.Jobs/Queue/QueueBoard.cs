using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Queue;

/// <summary>The lines in which jobs wait, and how they move.</summary>
public sealed class QueueBoard(JobDatabase database, TimeProvider time)
{
    private static readonly TimeSpan Lately = TimeSpan.FromHours(1);

    /// <summary>Every line in which somebody waits, or of which something ended well within the last hour. Reads those rows only.</summary>
    public Task<IReadOnlyList<QueueLane>> ReadAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<QueueLane>>(
            async db =>
            {
                var (now, since) = (time.GetUtcNow(), time.GetUtcNow() - Lately);
                var waiting = await db
                    .Jobs.Where(j => j.State == JobState.Queued)
                    .GroupBy(j => new { j.Model, j.VramClass })
                    .Select(g => new
                    {
                        g.Key.Model,
                        g.Key.VramClass,
                        Count = g.Count(),
                        Oldest = g.Min(j => j.QueuedAt),
                        Work = g.Sum(j => j.EstimatedSeconds),
                    })
                    .ToDictionaryAsync(line => (line.Model, line.VramClass), cancellationToken);
                var done = await db
                    .LeaseRecords.Where(r => r.Ending == LeaseEnding.Completed && r.EndedAt > since)
                    .Join(db.Jobs, r => r.JobId, j => j.Id, (r, j) => new { j.Model, j.VramClass })
                    .GroupBy(j => new { j.Model, j.VramClass })
                    .Select(g => new
                    {
                        g.Key.Model,
                        g.Key.VramClass,
                        Count = g.Count(),
                    })
                    .ToDictionaryAsync(line => (line.Model, line.VramClass), line => line.Count, cancellationToken);
                return
                [
                    .. waiting
                        .Keys.Union(done.Keys)
                        .OrderBy(line => line.VramClass)
                        .ThenBy(line => line.Model, StringComparer.Ordinal)
                        .Select(line =>
                            waiting.GetValueOrDefault(line) is { } of
                                ? new QueueLane(
                                    line.Model,
                                    line.VramClass,
                                    of.Count,
                                    Math.Max(0, (now - of.Oldest).TotalSeconds),
                                    of.Work,
                                    done.GetValueOrDefault(line)
                                )
                                : new QueueLane(line.Model, line.VramClass, 0, null, 0, done[line])
                        ),
                ];
            },
            cancellationToken,
            StorePatience.Many
        );
}

/// <summary>Jobs of one model and class, which wait in one line.</summary>
/// <param name="OldestSeconds">How long the one that waits longest has; null where none waits.</param>
/// <param name="WorkSeconds">Estimated, of all that wait.</param>
/// <param name="PerHour">Completed within the last hour.</param>
public sealed record QueueLane(string Model, int VramClass, int Queued, double? OldestSeconds, double WorkSeconds, int PerHour);
