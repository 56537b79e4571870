using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Results;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// After a restored backup or a failover that lost its last moments: finds what was completed since by the manifests in the store. A job
/// that waits and has a result is completed with it; one that the database has forgotten comes back with its request, if its key is known.
/// A job that is at work again is left to its worker.
/// </summary>
public sealed partial class ResultAdoption(
    JobDatabase database,
    IArtifactStore store,
    ResultManifests manifests,
    TimeProvider time,
    ILogger<ResultAdoption> log
)
{
    /// <summary>Of some stored objects, those that are manifests.</summary>
    /// <returns>How many jobs were completed.</returns>
    public async Task<int> AdoptAsync(IReadOnlyList<StoredObject> batch, CancellationToken cancellationToken)
    {
        var leases = new List<LeaseName>();
        foreach (var stored in batch)
        {
            if (ObjectKeys.TryParseManifest(stored.Key, out var lease))
            {
                leases.Add(lease);
            }
        }

        if (leases.Count == 0)
        {
            return 0;
        }

        var ids = leases.Select(lease => lease.JobId).Distinct().ToList();
        var states = await database.ReadAsync(
            db => db.Jobs.Where(job => ids.Contains(job.Id)).ToDictionaryAsync(job => job.Id, job => job.State, cancellationToken),
            cancellationToken,
            StorePatience.Pass
        );
        var adopted = 0;
        // Of several results of one job the newest is the one
        foreach (var lease in leases.OrderByDescending(lease => lease.Fence))
        {
            if (!states.TryGetValue(lease.JobId, out var state) || state == JobState.Queued)
            {
                adopted += await TryAdoptAsync(lease, cancellationToken) ? 1 : 0;
            }
        }

        return adopted;
    }

    private async Task<bool> TryAdoptAsync(LeaseName lease, CancellationToken cancellationToken)
    {
        if (await manifests.ReadAsync(lease, cancellationToken) is not { } manifest || !await IsWholeAsync(manifest, cancellationToken))
        {
            Unusable(ObjectKeys.Manifest(lease));
            return false;
        }

        var done = await database.WriteAsync(db => WriteAsync(db, lease, manifest, cancellationToken), cancellationToken);
        if (done)
        {
            Adopted(lease.JobId, ObjectKeys.Of(lease));
        }

        return done;
    }

    private async Task<bool> WriteAsync(
        JobsDbContext db,
        LeaseName lease,
        ResultManifest manifest,
        CancellationToken cancellationToken
    )
    {
        var request = manifest.Request;
        if (!await db.Jobs.AnyAsync(job => job.Id == request.Id, cancellationToken))
        {
            // Of another farm, or a key made since; or its client has sent the request again meanwhile, and has another video of it
            var known = await db.ApiKeys.AnyAsync(key => key.Id == request.KeyId, cancellationToken);
            var repeated =
                request.IdempotencyKey is { } mark
                && await db.Jobs.AnyAsync(job => job.KeyId == request.KeyId && job.IdempotencyKey == mark, cancellationToken);
            if (!known || repeated)
            {
                return false;
            }

            await JobRows.RestoreAsync(db, request, manifest.SubmittedAt, cancellationToken);
        }

        var artifacts = JsonSerializer.Serialize(manifest.Artifacts.ToArray(), ContractsJson.Default.ArtifactArray);
        if (!await JobTransitions.AdoptAsync(db, lease, artifacts, manifest.Warning, manifest.FinishedAt, cancellationToken))
        {
            return false;
        }

        await Outbox.AddAsync(db, lease.JobId, VideoEvent.Completed, time.GetUtcNow(), cancellationToken);
        return true;
    }

    private async Task<bool> IsWholeAsync(ResultManifest manifest, CancellationToken cancellationToken)
    {
        foreach (var artifact in manifest.Artifacts)
        {
            if (await store.StatAsync(artifact.Key, cancellationToken) is not { } stored || stored.SizeBytes != artifact.SizeBytes)
            {
                return false;
            }
        }

        return manifest.Artifacts.Count > 0;
    }

    [LoggerMessage(EventId = 151, Level = LogLevel.Warning, Message = "{Job} was completed and forgotten: taken back from {Folder}")]
    private partial void Adopted(string job, string folder);

    [LoggerMessage(
        EventId = 152,
        Level = LogLevel.Warning,
        Message = "{Manifest} tells of a result whose files are not all there, or can't be read: it is left alone"
    )]
    private partial void Unusable(string manifest);
}
