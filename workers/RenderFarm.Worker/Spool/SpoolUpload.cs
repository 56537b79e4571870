using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Tracing;

namespace RenderFarm.Worker.Spool;

/// <summary>
/// One upload: 1 hold the lease, 2 store every file (<see cref="FileUpload"/>), 3 say complete. It lasts as long as the
/// store or the API is away, and ends when the API has recorded an ending, says that the lease is lost, or has no such job.
/// </summary>
internal sealed class SpoolUpload(
    FileUpload files,
    FarmApi api,
    LeaseHolder leases,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<SpoolUpload> log
)
{
    /// <returns>Whether the entry has served its purpose and may be deleted.</returns>
    /// <exception cref="OperationCanceledException">The worker stops; the entry must stay.</exception>
    public async Task<UploadEnd> RunAsync(string entry, SpoolManifest manifest, LeaseSettings settings, CancellationToken cancellationToken)
    {
        using var span = WorkerSpans.Upload(manifest.JobId, manifest.Fence, manifest.TraceParent);
        using var scope = log.BeginScope(
            "{Job} fence {Fence} upload trace {Trace}",
            manifest.JobId,
            manifest.Fence,
            FarmTraces.IdOf(manifest.TraceParent)
        );
        var started = time.GetTimestamp();

        // 1: to the very end, since an API that is away while it should record the ending must not cost the lease either
        await using (var held = leases.HoldForUpload(manifest.Lease, settings))
        {
            // 2
            var (stored, end) = await StoredAsync(entry, manifest, held.Keeper, cancellationToken);
            if (stored is null)
            {
                return end;
            }

            // 3
            var measured = (manifest.Measurements ?? new Measurements()) with
            {
                UploadSeconds = time.GetElapsedTime(started).TotalSeconds,
            };
            if (await ConcludeAsync(manifest, stored, measured, cancellationToken) is UploadEnd.Unknown)
            {
                return UploadEnd.Unknown;
            }
        }

        metrics.StageDone(manifest.Model, RenderStage.Uploading, time.GetElapsedTime(started));
        return UploadEnd.Served;
    }

    /// <returns>The artifacts, or why there are none; null when this is the end.</returns>
    private async Task<(Stored?, UploadEnd)> StoredAsync(
        string entry,
        SpoolManifest manifest,
        LeaseKeeper lease,
        CancellationToken cancellationToken
    )
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost, lease.Cancelled, lease.Unknown);
        try
        {
            await lease.Confirmed.WaitAsync(ended.Token); // The long lease is in hand before the slow part begins
            return (new Stored(await StoreAsync(entry, manifest, ended.Token), null), default);
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested)
        {
            Discard(manifest, lease.Loss ?? LeaseLoss.Taken);
            return (null, UploadEnd.Served);
        }
        catch (OperationCanceledException) when (lease.Cancelled.IsCancellationRequested)
        {
            var cancelled = new UploadFailure(FailureReason.Cancelled, "the job was cancelled while its video was being uploaded");
            return (new Stored([], cancelled), default);
        }
        catch (OperationCanceledException) when (lease.Unknown.IsCancellationRequested)
        {
            return (null, UploadEnd.Unknown);
        }
        catch (SpoolDamagedException damaged)
        {
            var damage = new UploadFailure(FailureReason.Transient, $"the finished video was damaged in the spool: {damaged.Message}");
            return (new Stored([], damage), default);
        }
        catch (LeaseLostException)
        {
            Discard(manifest, LeaseLoss.Taken);
            return (null, UploadEnd.Served);
        }
        catch (FarmApiException fault) when (fault.IsKeyRevoked)
        {
            Discard(manifest, LeaseLoss.KeyRevoked);
            return (null, UploadEnd.Served);
        }
        catch (FarmApiException fault) when (fault.IsUnknown)
        {
            return (null, UploadEnd.Unknown);
        }
        catch (FarmApiException fault)
        {
            return (new Stored([], Refused(fault)), default);
        }
    }

    private async Task<IReadOnlyList<Artifact>> StoreAsync(string entry, SpoolManifest manifest, CancellationToken cancellationToken)
    {
        List<Artifact> stored = [];
        foreach (var file in manifest.Files)
        {
            stored.Add(await files.StoreAsync(manifest.Lease, entry, file, cancellationToken));
        }

        return stored;
    }

    private async Task<UploadEnd> ConcludeAsync(
        SpoolManifest manifest,
        Stored stored,
        Measurements measured,
        CancellationToken cancellationToken
    )
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
                return UploadEnd.Served;
            }
            catch (LeaseLostException)
            {
                Discard(manifest, LeaseLoss.Taken);
                return UploadEnd.Served;
            }
            catch (FarmApiException fault) when (fault.IsKeyRevoked)
            {
                Discard(manifest, LeaseLoss.KeyRevoked);
                return UploadEnd.Served;
            }
            catch (FarmApiException fault) when (fault.IsUnknown)
            {
                return UploadEnd.Unknown;
            }
            catch (FarmApiException fault) when (!fault.MayPass && failure is null)
            {
                failure = Refused(fault);
            }
            catch (FarmApiException fault) when (!fault.MayPass)
            {
                log.EndingsRefused(fault.Message);
                return UploadEnd.Served;
            }
            catch (FarmApiException fault)
            {
                var wait = backoff.Next();
                log.UploadUnreported(wait.TotalSeconds, fault.Message);
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    private UploadFailure Refused(FarmApiException fault)
    {
        log.VideoRefused(fault.Message);
        return new UploadFailure(FailureReason.Transient, $"the finished video was refused: {fault.Message}");
    }

    private void Discard(SpoolManifest manifest, LeaseLoss loss)
    {
        log.FenceLost();
        metrics.Discarded(manifest.Model, Word.Of(loss));
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

/// <summary>How an upload ended.</summary>
internal enum UploadEnd
{
    /// <summary>An ending of the job is recorded, or nobody wants the video any more.</summary>
    Served,

    /// <summary>The API has no such job: its database is another, or older than the job.</summary>
    Unknown,
}
