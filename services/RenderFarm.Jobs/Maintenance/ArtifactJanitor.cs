using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Removes objects that no video will point at again: those of fences recorded as not winning, and all of a job that has
/// expired or was deleted; and what is left of uploads that never ended. What is younger than <see cref="LeastAge"/>, what
/// belongs to a lease without an ending, and what no row knows of stays. If more than <see cref="LargestShare"/> of the
/// store would go, nothing goes and an error is logged: a database that was restored from an old copy must not empty the bucket.
/// </summary>
public sealed partial class ArtifactJanitor(JobDatabase database, IArtifactStore store, TimeProvider time, ILogger<ArtifactJanitor> log)
    : ISweep
{
    public static readonly TimeSpan LeastAge = TimeSpan.FromHours(24);
    public const double LargestShare = 0.05;

    /// <summary>A small store may lose this many at once, whatever share of it they are.</summary>
    public const int AlwaysAllowed = 50;

    private const int Batch = 500;

    public TimeSpan Every => TimeSpan.FromHours(1);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var seen = 0L;
        List<string> doomed = [];
        List<Place> batch = [];
        var youngest = time.GetUtcNow() - LeastAge;
        var unfinished = await store.RemoveUnfinishedAsync(youngest, cancellationToken);
        foreach (var prefix in (string[])[ObjectKeys.Videos, ObjectKeys.Inputs])
        {
            await foreach (var stored in store.ListAsync(prefix, cancellationToken))
            {
                seen++;
                if (stored.LastModified > youngest || PlaceOf(stored.Key) is not { } place)
                {
                    continue;
                }

                batch.Add(place);
                if (batch.Count == Batch)
                {
                    await JudgeAsync(batch, doomed, cancellationToken);
                }
            }
        }

        await JudgeAsync(batch, doomed, cancellationToken);

        if (doomed.Count > Math.Max(AlwaysAllowed, seen * LargestShare))
        {
            TooMany(doomed.Count, seen);
            return unfinished;
        }
        foreach (var key in doomed)
        {
            await store.DeleteAsync(key, cancellationToken);
        }

        return doomed.Count + unfinished;
    }

    private async Task JudgeAsync(List<Place> batch, List<string> doomed, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            return;
        }

        var ids = batch.Select(place => place.JobId).Distinct().ToList();
        var (jobs, ended) = await database.ReadAsync(
            async db =>
                (
                    await db
                        .Jobs.AsNoTracking()
                        .Where(j => ids.Contains(j.Id))
                        .Select(j => new
                        {
                            j.Id,
                            j.WinningFence,
                            IsGone = j.State == JobState.Expired || (j.DeletedAt != null && j.FinishedAt != null),
                        })
                        .ToDictionaryAsync(j => j.Id, cancellationToken),
                    (
                        await db
                            .LeaseRecords.AsNoTracking()
                            .Where(r => ids.Contains(r.JobId) && r.Ending != null)
                            .Select(r => new { r.JobId, r.Fence })
                            .ToListAsync(cancellationToken)
                    )
                        .Select(r => (r.JobId, r.Fence))
                        .ToHashSet()
                ),
            cancellationToken
        );
        foreach (var (key, jobId, fence) in batch)
        {
            if (
                jobs.TryGetValue(jobId, out var job)
                && (job.IsGone || (fence is { } lost && lost != job.WinningFence && ended.Contains((jobId, lost))))
            )
            {
                doomed.Add(key);
            }
        }

        batch.Clear();
    }

    private static Place? PlaceOf(string key) =>
        ObjectKeys.TryParseLease(key, out var lease) ? new Place(key, lease.JobId, lease.Fence)
        : ObjectKeys.TryParseInput(key, out var jobId) ? new Place(key, jobId, null)
        : null;

    /// <param name="Fence">Null for an input, which belongs to every lease of its job.</param>
    private sealed record Place(string Key, string JobId, long? Fence);

    [LoggerMessage(
        EventId = 141,
        Level = LogLevel.Error,
        Message = "{Doomed} of {Seen} stored objects would be removed: too many to be right, so none was. Compare the database with the "
            + "bucket."
    )]
    private partial void TooMany(int doomed, long seen);
}
