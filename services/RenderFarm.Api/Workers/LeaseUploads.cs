using System.Globalization;
using RenderFarm.Api.Errors;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Api.Workers;

/// <summary>
/// Uploads of a lease: under the keys of that lease, of what was promised, by links of one part each. Nothing is remembered here; what
/// has arrived is the store's to say, so an upload goes on through another API, or after a restart of any of the three.
/// </summary>
internal sealed class LeaseUploads(IPartUploads uploads, TimeProvider time)
{
    /// <summary>Of links; a worker that needs longer asks again.</summary>
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    /// <summary>New or gone on with.</summary>
    public async Task<UploadReply> BeginAsync(LeaseId lease, UploadRequest request, CancellationToken cancellationToken)
    {
        RequireWellFormed(request);
        var promised = Promised(lease, new UploadHandle(request.Kind, request.SizeBytes, request.Sha256, ""));
        var storeId = await uploads.BeginAsync(promised, cancellationToken);
        var handle = new UploadHandle(request.Kind, request.SizeBytes, request.Sha256, storeId ?? "");
        var received = storeId is null
            ? [.. request.PartsMd5.Index().Select(part => new ReceivedPart(part.Index + 1, PartChecksum.Hex(part.Item)))]
            : Received(request, await uploads.ListPartsAsync(promised.Key, storeId, cancellationToken));
        var there = received.Select(part => part.Number).ToHashSet();
        return new UploadReply
        {
            UploadId = handle.ToString(),
            Received = received,
            Parts =
            [
                .. request
                    .PartsMd5.Index()
                    .Where(part => !there.Contains(part.Index + 1))
                    .Select(part => Link(lease, promised.Key, handle, part.Index + 1, part.Item)),
            ],
            ExpiresAt = (time.GetUtcNow() + LinkLifetime).ToUnixTimeSeconds(),
        };
    }

    /// <summary>A part that only this process can store.</summary>
    /// <returns>Its name, as an <c>ETag</c> has it.</returns>
    public async Task<string> ReceiveAsync(
        LeaseId lease,
        string id,
        int number,
        string md5,
        Stream content,
        CancellationToken cancellationToken
    )
    {
        var handle = Parse(id);
        if (uploads is not IPartReceiver receiver || number < 1 || number > handle.PartCount)
        {
            throw ApiError.NotFound("part", number.ToString(CultureInfo.InvariantCulture)).AsException();
        }

        var promised = new StoredPart(number, UploadRequest.SizeOfPart(handle.SizeBytes, number), PartChecksum.Hex(md5));
        var key = Promised(lease, handle).Key;
        var stored = await AskAsync("Content-MD5", () => receiver.ReceiveAsync(key, handle.StoreId, promised, content, cancellationToken));
        return stored.Etag;
    }

    public async Task<UploadedObject> CompleteAsync(
        LeaseId lease,
        string id,
        IReadOnlyList<string> etags,
        CancellationToken cancellationToken
    )
    {
        var handle = Parse(id);
        var promised = Promised(lease, handle);
        if (etags.Count != handle.PartCount)
        {
            throw ApiError
                .InvalidValue("etags", $"'etags' has {etags.Count} entries; this upload has {handle.PartCount} parts.")
                .AsException();
        }

        var odd = etags.ToList().FindIndex(etag => !IsEtag(etag));
        WorkerClaims.Refuse(odd >= 0, $"etags[{odd}]", "must be what the store called the part in its ETag, without the quotation marks");
        var stored = await AskAsync("etags", () => uploads.CompleteAsync(promised, handle.StoreId, etags, cancellationToken));
        return new UploadedObject(stored.Key, stored.SizeBytes, handle.Sha256);
    }

    private static PromisedObject Promised(LeaseId lease, UploadHandle handle) =>
        new(
            ObjectKeys.For(handle.Kind, lease.Name, handle.Sha256),
            UploadKinds.ContentType(handle.Kind),
            handle.SizeBytes,
            handle.Sha256
        );

    /// <summary>It becomes part of a document to the store.</summary>
    private static bool IsEtag(string text) =>
        text.Length is > 0 and <= 200 && text.All(letter => letter is > ' ' and < '\x7f' and not '"');

    private static UploadHandle Parse(string id) =>
        UploadHandle.TryParse(id, out var handle) ? handle : throw ApiError.UploadEnded().AsException();

    /// <summary>
    /// What has arrived and is what is promised now. A store that encrypts names parts by something else than their MD5: there every part
    /// is asked for again.
    /// </summary>
    private static IReadOnlyList<ReceivedPart> Received(UploadRequest request, IReadOnlyList<StoredPart> stored) =>
        [
            .. stored
                .Where(part =>
                    part.Number >= 1
                    && part.Number <= request.PartsMd5.Count
                    && part.SizeBytes == UploadRequest.SizeOfPart(request.SizeBytes, part.Number)
                    && part.Etag == PartChecksum.Hex(request.PartsMd5[part.Number - 1])
                )
                .Select(part => new ReceivedPart(part.Number, part.Etag)),
        ];

    private PartLink Link(LeaseId lease, string key, UploadHandle handle, int number, string md5) =>
        uploads.LinkTo(key, handle.StoreId, number, md5, LinkLifetime) is { } target
            ? new PartLink(number, target.Address.AbsoluteUri, target.Headers)
            : new PartLink(
                number,
                string.Create(CultureInfo.InvariantCulture, $"/worker/v1/leases/{lease.JobId}/uploads/{handle}/parts/{number}"),
                PartReport.Headers(lease, md5)
            );

    private static void RequireWellFormed(UploadRequest request)
    {
        WorkerClaims.Refuse(
            !UploadHandle.IsSize(request.SizeBytes),
            "size_bytes",
            $"is {request.SizeBytes}; a file of 1 byte up to {(long)UploadRequest.PartBytes * UploadRequest.MostParts} is taken"
        );
        WorkerClaims.Refuse(!UploadHandle.IsSha256(request.Sha256), "sha256", "must be the file's SHA-256 in 64 lower-case hex digits");
        var parts = UploadRequest.PartsOf(request.SizeBytes);
        WorkerClaims.Refuse(
            request.PartsMd5.Count != parts,
            "parts_md5",
            $"has {request.PartsMd5.Count} entries; a file of {request.SizeBytes} bytes has {parts} parts of {UploadRequest.PartBytes}"
        );
        var odd = request.PartsMd5.ToList().FindIndex(md5 => !PartChecksum.IsMd5(md5));
        WorkerClaims.Refuse(odd >= 0, $"parts_md5[{odd}]", "must be an MD5 in base64, as Content-MD5 has it");
    }

    /// <summary>Bytes that are not the promised ones are the worker's fault, and not the store's.</summary>
    private static async Task<T> AskAsync<T>(string field, Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (ArtifactCorruptException fault)
        {
            throw ApiError.InvalidValue(field, $"'{field}': {fault.Message}.").AsException();
        }
    }
}
