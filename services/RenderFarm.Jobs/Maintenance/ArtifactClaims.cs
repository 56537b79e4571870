using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>What the rows say of a stored object.</summary>
internal enum ArtifactClaim
{
    /// <summary>A video points at it, or may yet: its job has not ended, or its lease has no ending.</summary>
    Wanted,

    /// <summary>Its job was deleted, or has expired: the farm itself has let it go.</summary>
    Gone,

    /// <summary>Its job has ended without it: its lease is recorded as not the winning one, or is forgotten and another has won.</summary>
    Lost,

    /// <summary>
    /// No row knows of it, or of its lease while its job has no result, or it is none of the farm's keys. After a restore it may be the
    /// only copy of a video.
    /// </summary>
    Unclaimed,
}

/// <summary>Holds the stored objects against the rows.</summary>
internal sealed class ArtifactClaims(JobDatabase database, IArtifactStore store)
{
    /// <summary>Objects that are judged together.</summary>
    public const int Batch = 500;

    /// <summary>All that is stored, in the order of the keys, so that a reader can go on after one.</summary>
    public async IAsyncEnumerable<IReadOnlyList<StoredObject>> BatchesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var batch = new List<StoredObject>(Batch);
        foreach (var prefix in (string[])[ObjectKeys.Inputs, ObjectKeys.Videos])
        {
            await foreach (var stored in store.ListAsync(prefix, cancellationToken))
            {
                batch.Add(stored);
                if (batch.Count == Batch)
                {
                    yield return batch;
                    batch = new List<StoredObject>(Batch);
                }
            }
        }

        yield return batch;
    }

    /// <summary>Those that are older than a time, each with what the rows say of it now.</summary>
    /// <param name="batch">At most <see cref="Batch"/>.</param>
    public async Task<IReadOnlyList<(StoredObject Object, ArtifactClaim Claim)>> JudgeAsync(
        IReadOnlyList<StoredObject> batch,
        DateTimeOffset olderThan,
        CancellationToken cancellationToken
    )
    {
        var places = batch
            .Where(stored => stored.LastModified <= olderThan)
            .Select(stored => (Object: stored, Place: PlaceOf(stored.Key)))
            .ToList();
        var ids = places.Select(one => one.Place?.JobId).OfType<string>().Distinct().ToList();
        if (ids.Count == 0)
        {
            return places.ConvertAll(one => (one.Object, ArtifactClaim.Unclaimed));
        }

        var (jobs, endings) = await database.ReadAsync(
            async db =>
                (
                    await db
                        .Jobs.AsNoTracking()
                        .Where(j => ids.Contains(j.Id))
                        .Select(j => new JobClaim(
                            j.Id,
                            j.State == JobState.Expired || (j.DeletedAt != null && j.FinishedAt != null),
                            j.FinishedAt != null,
                            j.Artifacts
                        ))
                        .ToDictionaryAsync(j => j.Id, cancellationToken),
                    (
                        await db
                            .LeaseRecords.AsNoTracking()
                            .Where(r => ids.Contains(r.JobId))
                            .Select(r => new { r.JobId, r.Fence, r.Token, r.Ending })
                            .ToListAsync(cancellationToken)
                    ).ToDictionary(
                        r => new LeaseName(r.JobId, r.Fence, r.Token is null ? "" : LeaseToken.Parse(r.Token).Digest),
                        r => r.Ending
                    )
                ),
            cancellationToken,
            StorePatience.Pass
        );
        return places.ConvertAll(one => (one.Object, ClaimOf(one.Place)));

        ArtifactClaim ClaimOf(Place? of) =>
            of is not { } place || !jobs.TryGetValue(place.JobId, out var job) ? ArtifactClaim.Unclaimed
            : job.IsGone ? ArtifactClaim.Gone
            // While a job is open, its worker may be back, or its result be found
            : place.Lease is not { } lease || !job.HasEnded || job.IsResultOf(lease) ? ArtifactClaim.Wanted
            : endings.TryGetValue(lease, out var ending) ? (ending is null ? ArtifactClaim.Wanted : ArtifactClaim.Lost)
            // A lease that the database has forgotten: beside a result it is one too many, without one it may be the only copy
            : job.Artifacts is null ? ArtifactClaim.Unclaimed
            : ArtifactClaim.Lost;
    }

    /// <summary>Of the jobs to which these objects belong, those that were deleted can't be undeleted any more.</summary>
    public Task LetGoAsync(IReadOnlyList<StoredObject> batch, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ids = batch.Select(stored => PlaceOf(stored.Key)?.JobId).OfType<string>().Distinct().ToList();
        return database.WriteAsync(
            db => JobTransitions.LetGoAsync(db, JobsWhere.Among(db.Dialect, ids), now, cancellationToken),
            cancellationToken,
            StorePatience.Pass
        );
    }

    private static Place? PlaceOf(string key) =>
        ObjectKeys.TryParseLease(key, out var lease) ? new Place(lease.JobId, lease)
        : ObjectKeys.TryParseInput(key, out var jobId) ? new Place(jobId, null)
        : null;

    /// <param name="Lease">Null for an input, which belongs to every lease of its job.</param>
    private sealed record Place(string JobId, LeaseName? Lease);

    /// <param name="IsGone">The farm itself has let go of all that belongs to it.</param>
    /// <param name="Artifacts">JSON of its result; null where it has none.</param>
    private sealed record JobClaim(string Id, bool IsGone, bool HasEnded, string? Artifacts)
    {
        public bool IsResultOf(LeaseName lease) => Artifacts?.Contains($"\"{ObjectKeys.Of(lease)}", StringComparison.Ordinal) == true;
    }
}
