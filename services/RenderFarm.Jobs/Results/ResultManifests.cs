using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Results;

/// <summary>
/// Writes <c>manifest.json</c> beside the objects of a result: whoever has the bucket has all that is needed to know whose video
/// it is, also when the database was restored from a time before it.
/// </summary>
public sealed class ResultManifests(JobDatabase database, IArtifactStore store, TimeProvider time)
{
    private const string ContentType = "application/json";

    /// <summary>Before the ending is recorded. Does nothing for a lease that is not the job's newest; repeats safely.</summary>
    public async Task WriteAsync(Reported<CompleteRequest> reported, CancellationToken cancellationToken)
    {
        var (lease, token) = (reported.Lease, reported.Lease.Token.Secret);
        var row = await database.ReadAsync(
            db =>
                db
                    .Jobs.AsNoTracking()
                    .SingleOrDefaultAsync(j => j.Id == lease.JobId && j.Fence == lease.Fence && j.Token == token, cancellationToken),
            cancellationToken
        );
        if (row is null)
        {
            return;
        }

        var manifest = new ResultManifest
        {
            Format = ResultManifest.CurrentFormat,
            Request = JobRows.RequestOf(row),
            SubmittedAt = row.CreatedAt,
            FinishedAt = time.GetUtcNow(),
            Artifacts = reported.Report.Artifacts,
            Warning = reported.Report.Warning,
        };
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(
                path,
                JsonSerializer.SerializeToUtf8Bytes(manifest, ResultsJson.Default.ResultManifest),
                cancellationToken
            );
            await store.PutFileAsync(
                ObjectKeys.Manifest(lease.Name),
                path,
                ContentType,
                await FileChecksum.Sha256Async(path, cancellationToken),
                cancellationToken
            );
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Null where it is gone, or nothing that this version can read.</summary>
    internal async Task<ResultManifest?> ReadAsync(LeaseName lease, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await store.OpenReadAsync(ObjectKeys.Manifest(lease), null, cancellationToken);
            var manifest = await JsonSerializer.DeserializeAsync(stream, ResultsJson.Default.ResultManifest, cancellationToken);
            return manifest is { Format: ResultManifest.CurrentFormat } && manifest.Request.Id == lease.JobId ? manifest : null;
        }
        catch (Exception e) when (e is JsonException or ArtifactNotFoundException)
        {
            return null;
        }
    }
}
