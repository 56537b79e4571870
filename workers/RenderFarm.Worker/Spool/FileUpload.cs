using System.Net;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Spool;

/// <summary>
/// One file on its way to the store: 1 ask the API for links, 2 store the missing parts by them, 3 have the API make them one object.
/// Whatever goes wrong, it is asked again, and goes on with the parts that are there already: links that are over, a store or an API that
/// is away, a worker that was started anew.
/// </summary>
internal sealed class FileUpload(FarmApi api, FarmLinks links, WorkerMetrics metrics, TimeProvider time, ILogger<FileUpload> log)
{
    /// <summary>So many parts at once, for lines on which an answer takes long.</summary>
    private const int AtOnce = 3;

    /// <summary>An answer that is no matter of time counts as final when it has come so often.</summary>
    private const int MostRefusals = 3;

    /// <exception cref="LeaseLostException"/>
    /// <exception cref="SpoolDamagedException"/>
    /// <exception cref="FarmApiException">The API does not know the job, or refuses the file or this worker for good.</exception>
    public async Task<Artifact> StoreAsync(LeaseId lease, string entry, SpoolFile file, CancellationToken cancellationToken)
    {
        var (kind, started) = (UploadKinds.Of(file.Kind), time.GetTimestamp());
        var content = await PartedFile.ReadAsync(entry, file, cancellationToken);
        var (backoff, refused) = (new Backoff(1, 30), 0);
        while (true)
        {
            try
            {
                var stored = await TryAsync(lease, content, backoff, cancellationToken);
                metrics.Uploaded(kind, stored.SizeBytes, time.GetElapsedTime(started));
                var type = UploadKinds.ContentType(kind);
                return new Artifact(file.Kind, stored.Key, type, stored.SizeBytes, stored.Sha256);
            }
            catch (FarmApiException fault) when (IsWorthATry(fault) && (fault.MayPass || ++refused < MostRefusals))
            {
                metrics.UploadTried(kind, "retried");
                var wait = backoff.Next();
                log.StoreAway(file.Name, wait.TotalSeconds, fault.Message);
                await Task.Delay(wait, time, cancellationToken);
                if (fault.Status == HttpStatusCode.BadRequest)
                {
                    // Other bytes than promised: on the way, or on this disk
                    content = await PartedFile.ReadAsync(entry, file, cancellationToken);
                }
            }
            catch (FarmApiException)
            {
                metrics.UploadTried(kind, "refused");
                throw;
            }
        }
    }

    private async Task<UploadedObject> TryAsync(LeaseId lease, PartedFile content, Backoff backoff, CancellationToken cancellationToken)
    {
        // 1
        var file = content.File;
        var request = new UploadRequest
        {
            Kind = UploadKinds.Of(file.Kind),
            SizeBytes = file.SizeBytes,
            Sha256 = file.Sha256,
            PartsMd5 = content.PartsMd5,
        };
        var upload = await api.BeginUploadAsync(lease, request, cancellationToken);

        // 2
        var etags = new string[content.PartsMd5.Count];
        foreach (var part in upload.Received)
        {
            etags[part.Number - 1] = part.Etag;
        }

        await SendAsync(content, upload.Parts, etags, backoff, cancellationToken);

        // 3
        return await api.CompleteUploadAsync(lease, upload.UploadId, new UploadCompleteRequest { Etags = etags }, cancellationToken);
    }

    /// <summary>When one can't be stored, no other is begun; those under way go on: what they bring need not be sent again.</summary>
    private async Task SendAsync(
        PartedFile content,
        IReadOnlyList<PartLink> parts,
        string[] etags,
        Backoff backoff,
        CancellationToken cancellationToken
    )
    {
        FarmApiException? broken = null;
        await Parallel.ForEachAsync(
            parts,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (part, _) =>
            {
                if (Volatile.Read(ref broken) is not null)
                {
                    return;
                }

                try
                {
                    await using var bytes = content.OpenPart(part.Number);
                    etags[part.Number - 1] = await links.PutAsync(part, bytes, cancellationToken);
                    backoff.Reset();
                }
                catch (FarmApiException fault)
                {
                    Interlocked.CompareExchange(ref broken, fault, null);
                }
            }
        );
        if (broken is not null)
        {
            throw broken;
        }
    }

    private static bool IsWorthATry(FarmApiException fault) => !fault.IsUnknown && !fault.IsKeyRevoked;
}
