using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>What the rows say of a stored object.</summary>
internal enum ArtifactClaim
{
    /// <summary>A video points at it, or a lease without an ending may yet.</summary>
    Wanted,

    /// <summary>Its job was deleted, or has expired: the farm itself has let it go.</summary>
    Gone,

    /// <summary>Its lease is recorded as not the winning one.</summary>
    Lost,

    /// <summary>No row knows of it, or it is none of the farm's keys. After a restore it may be the only copy of a video.</summary>
    Unclaimed,
}

/// <summary>Holds the stored objects against the rows.</summary>
internal sealed class ArtifactClaims(JobDatabase database, IArtifactStore store)
{
    private const int Batch = 500;

    /// <summary>All that are older than a time, by their keys, each with what the rows said of it a moment ago.</summary>
    public async IAsyncEnumerable<(StoredObject Object, ArtifactClaim Claim)> JudgeAsync(
        DateTimeOffset olderThan,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var batch = new List<StoredObject>(Batch);
        // In the order of their keys, so that a reader can go on after one
        foreach (var prefix in (string[])[ObjectKeys.Inputs, ObjectKeys.Videos])
        {
            await foreach (var stored in store.ListAsync(prefix, cancellationToken))
            {
                if (stored.LastModified > olderThan)
                {
                    continue;
                }

                batch.Add(stored);
                if (batch.Count == Batch)
                {
                    foreach (var judged in await JudgeAsync(batch, cancellationToken))
                    {
                        yield return judged;
                    }

                    batch.Clear();
                }
            }
        }

        foreach (var judged in await JudgeAsync(batch, cancellationToken))
        {
            yield return judged;
        }
    }

    private async Task<List<(StoredObject Object, ArtifactClaim Claim)>> JudgeAsync(
        List<StoredObject> batch,
        CancellationToken cancellationToken
    )
    {
        var places = batch.ConvertAll(stored => (Object: stored, Place: PlaceOf(stored.Key)));
        var ids = places.Select(one => one.Place?.JobId).OfType<string>().Distinct().ToList();
        if (ids.Count == 0)
        {
            return places.ConvertAll(one => (one.Object, ArtifactClaim.Unclaimed));
        }

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
            cancellationToken,
            StorePatience.Pass
        );
        return places.ConvertAll(one =>
            (
                one.Object,
                one.Place is not { } place || !jobs.TryGetValue(place.JobId, out var job) ? ArtifactClaim.Unclaimed
                : job.IsGone ? ArtifactClaim.Gone
                : place.Fence is { } fence && fence != job.WinningFence && ended.Contains((place.JobId, fence)) ? ArtifactClaim.Lost
                : ArtifactClaim.Wanted
            )
        );
    }

    private static Place? PlaceOf(string key) =>
        ObjectKeys.TryParseLease(key, out var lease) ? new Place(lease.JobId, lease.Fence)
        : ObjectKeys.TryParseInput(key, out var jobId) ? new Place(jobId, null)
        : null;

    /// <param name="Fence">Null for an input, which belongs to every lease of its job.</param>
    private sealed record Place(string JobId, long? Fence);
}
