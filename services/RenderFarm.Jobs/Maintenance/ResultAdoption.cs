using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Results;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// After a restored backup or a failover that lost its last moments: finds what was completed since by the manifests in the store. A job
/// that waits and has a result is completed with it; one that the database has forgotten comes back with its request, if its key is known.
/// A job that is at work again is left to its worker. Runs at the start and every hour.
/// </summary>
public sealed partial class ResultAdoption(
    JobDatabase database,
    IArtifactStore store,
    ResultManifests manifests,
    TimeProvider time,
    ILogger<ResultAdoption> log
) : ISweep
{
    private const int Batch = 500;

    public string Name => "result_adoption";

    public TimeSpan Every => TimeSpan.FromHours(1);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var adopted = 0;
        List<LeaseName> batch = [];
        await foreach (var stored in store.ListAsync(ObjectKeys.Videos, cancellationToken))
        {
            if (ObjectKeys.TryParseManifest(stored.Key, out var lease))
            {
                batch.Add(lease);
                if (batch.Count == Batch)
                {
                    adopted += await AdoptAsync(batch, cancellationToken);
                }
            }
        }

        return adopted + await AdoptAsync(batch, cancellationToken);
    }

    private async Task<int> AdoptAsync(List<LeaseName> batch, CancellationToken cancellationToken)
    {
        var ids = batch.Select(lease => lease.JobId).Distinct().ToList();
        var states = await database.ReadAsync(
            db => db.Jobs.Where(job => ids.Contains(job.Id)).ToDictionaryAsync(job => job.Id, job => job.State, cancellationToken),
            cancellationToken
        );
        var adopted = 0;
        // Of several results of one job the newest is the one
        foreach (var lease in batch.OrderByDescending(lease => lease.Fence))
        {
            if (!states.TryGetValue(lease.JobId, out var state) || state == JobState.Queued)
            {
                adopted += await TryAdoptAsync(lease, cancellationToken) ? 1 : 0;
            }
        }

        batch.Clear();
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
