using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Spool;

/// <summary>
/// One upload: 1 hold the lease, 2 store every file under the lease's keys, 3 say complete. It lasts as long as the
/// store or the API is away, and ends when the API has recorded an ending or says that the lease is lost.
/// </summary>
internal sealed class SpoolUpload(
    IArtifactStore store,
    FarmApi api,
    LeaseHolder leases,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<SpoolUpload> log
)
{
    /// <returns>When the entry has served its purpose and may be deleted.</returns>
    /// <exception cref="OperationCanceledException">The worker stops; the entry must stay.</exception>
    public async Task RunAsync(string entry, SpoolManifest manifest, LeaseSettings settings, CancellationToken cancellationToken)
    {
        using var scope = log.BeginScope("{Job} fence {Fence} upload", manifest.JobId, manifest.Fence);
        var started = time.GetTimestamp();

        // 1: to the very end, since an API that is away while it should record the ending must not cost the lease either
        await using (var held = leases.HoldForUpload(manifest.Lease, settings))
        {
            // 2
            if (await StoredAsync(entry, manifest, held.Keeper, cancellationToken) is not { } stored)
            {
                return;
            }

            // 3
            var measured = (manifest.Measurements ?? new Measurements()) with
            {
                UploadSeconds = time.GetElapsedTime(started).TotalSeconds,
            };
            await ConcludeAsync(manifest, stored, measured, cancellationToken);
        }

        metrics.StageDone(manifest.Model, RenderStage.Uploading, time.GetElapsedTime(started));
    }

    /// <returns>The artifacts, or why there are none; null when the fence has lost.</returns>
    private async Task<Stored?> StoredAsync(string entry, SpoolManifest manifest, LeaseKeeper lease, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost, lease.Cancelled);
        try
        {
            await lease.Confirmed.WaitAsync(ended.Token); // The long lease is in hand before the slow part begins
            return new Stored(await StoreAsync(entry, manifest, ended.Token), null);
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested)
        {
            log.FenceLost();
            return null;
        }
        catch (OperationCanceledException) when (lease.Cancelled.IsCancellationRequested)
        {
            return new Stored([], new UploadFailure(FailureReason.Cancelled, "the job was cancelled while its video was being uploaded"));
        }
        catch (Exception damaged) when (damaged is ArtifactCorruptException or FileNotFoundException or DirectoryNotFoundException)
        {
            return new Stored(
                [],
                new UploadFailure(FailureReason.Transient, $"the finished video was damaged in the spool: {damaged.Message}")
            );
        }
    }

    private async Task<IReadOnlyList<Artifact>> StoreAsync(string entry, SpoolManifest manifest, CancellationToken cancellationToken)
    {
        List<Artifact> stored = [];
        var backoff = new Backoff(1, 30);
        foreach (var file in manifest.Files)
        {
            var key = ObjectKeys.For(file.Kind, manifest.Lease.Name);
            var type = ObjectKeys.ContentType(file.Kind);
            while (true)
            {
                try
                {
                    await store.PutFileAsync(key, Path.Combine(entry, file.Name), type, file.Sha256, cancellationToken);
                    stored.Add(new Artifact(file.Kind, key, type, file.SizeBytes, file.Sha256));
                    backoff.Reset();
                    break;
                }
                catch (ArtifactStoreException fault) when (fault is not ArtifactCorruptException)
                {
                    // Even a refusal is worth waiting for: an operator can set the key or the bucket right, and the video is done
                    var wait = backoff.Next();
                    log.StoreAway(key, wait.TotalSeconds, fault.Message);
                    await Task.Delay(wait, time, cancellationToken);
                }
            }
        }

        return stored;
    }

    private async Task ConcludeAsync(SpoolManifest manifest, Stored stored, Measurements measured, CancellationToken cancellationToken)
    {
        var failure = stored.Failure;
        var backoff = new Backoff(0.5, 10);
        while (true)
        {
            try
            {
                var outcome = failure is null
                    ? await api.CompleteAsync(manifest.Lease, Completion(manifest, stored.Artifacts, measured), cancellationToken)
                    : await api.FailAsync(manifest.Lease, Failure(manifest, failure, measured), cancellationToken);
                log.UploadReported(outcome.State);
                return;
            }
            catch (LeaseLostException)
            {
                log.FenceLost();
                return;
            }
            catch (FarmApiException fault) when (!fault.IsTransient && !fault.IsWrongKey && failure is null)
            {
                log.VideoRefused(fault.Message);
                failure = new UploadFailure(FailureReason.Transient, $"the finished video was refused: {fault.Message}");
            }
            catch (FarmApiException fault) when (!fault.IsTransient && !fault.IsWrongKey)
            {
                log.EndingsRefused(fault.Message);
                return;
            }
            catch (FarmApiException fault)
            {
                var wait = backoff.Next();
                log.UploadUnreported(wait.TotalSeconds, fault.Message);
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    private static CompleteRequest Completion(SpoolManifest manifest, IReadOnlyList<Artifact> artifacts, Measurements measured) =>
        new()
        {
            Artifacts = artifacts,
            Measurements = measured,
            LogTail = manifest.LogTail,
            Warning = manifest.Warning,
        };

    private static FailRequest Failure(SpoolManifest manifest, UploadFailure failure, Measurements measured) =>
        new()
        {
            Reason = failure.Reason,
            Message = failure.Message,
            Progressed = true,
            Measurements = measured,
            LogTail = manifest.LogTail,
        };

    /// <param name="Failure">Null when everything is stored.</param>
    private sealed record Stored(IReadOnlyList<Artifact> Artifacts, UploadFailure? Failure);

    private sealed record UploadFailure(FailureReason Reason, string Message);
}
