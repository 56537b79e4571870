using System.Xml.Linq;

namespace RenderFarm.Artifacts;

/// <summary>
/// Uploads in parts into a bucket, by S3's own multipart uploads (<see cref="S3Multipart"/>).
/// </summary>
/// <remarks>
/// S3 lets two uploads of one object be open, and the one that is completed last wins. <see cref="CompleteAsync"/> ends the others, then
/// looks for the object, then completes its own: of two that do so at the same time one has ended the other, or finds its object.
/// </remarks>
public sealed class S3PartUploads : IPartUploads
{
    private readonly S3Connection _s3;
    private readonly IArtifactStore _store;
    private readonly S3Multipart _requests;

    /// <param name="store">On the same connection.</param>
    public S3PartUploads(S3Connection connection, IArtifactStore store, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(connection);
        (_s3, _store, _requests) = (connection, store, new S3Multipart(connection, time));
    }

    public async Task<string?> BeginAsync(PromisedObject promised, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(promised);
        await _s3.EnsureBucketSeenAsync(cancellationToken);
        if (await FindAsync(promised, cancellationToken) is not null)
        {
            return null;
        }

        // The one that was begun first, so that all who ask for this object are given the same
        var open = await _requests.OpenAsync(promised.Key, cancellationToken);
        return open.OrderBy(upload => upload.Initiated).ThenBy(upload => upload.Id, StringComparer.Ordinal).FirstOrDefault()?.Id
            ?? await InitiateAsync(promised, cancellationToken);
    }

    public async Task<IReadOnlyList<StoredPart>> ListPartsAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        List<StoredPart> parts = [];
        var after = "0";
        while (true)
        {
            var page = await _requests.SendAsync(
                new("list the parts of", HttpMethod.Get, key, [new("uploadId", uploadId), new("part-number-marker", after)])
                {
                    Document = "ListPartsResult",
                },
                cancellationToken
            );
            parts.AddRange(
                page.Each("Part")
                    .Select(part => new StoredPart(
                        (int)part.Number("PartNumber"),
                        part.Number("Size"),
                        part.Text("ETag").Trim('"')
                    ))
            );
            if (page.Text("IsTruncated") != "true")
            {
                return parts;
            }

            after = page.Text("NextPartNumberMarker");
        }
    }

    public PartTarget? LinkTo(string key, string uploadId, int number, string md5, TimeSpan lifetime)
    {
        var headers = new Dictionary<string, string> { ["Content-MD5"] = md5 };
        var put = new S3Call("send a part of", HttpMethod.Put, key, [new("partNumber", $"{number}"), new("uploadId", uploadId)])
        {
            Headers = headers,
        };
        return new PartTarget(_requests.LinkTo(put, _s3.Options.EndpointFor(LinkReach.Worker), lifetime), headers);
    }

    public async Task<StoredObject> CompleteAsync(
        PromisedObject promised,
        string uploadId,
        IReadOnlyList<string> etags,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(promised);
        ArgumentNullException.ThrowIfNull(etags);
        var open = await _requests.OpenAsync(promised.Key, cancellationToken);
        foreach (var other in open.Where(upload => upload.Id != uploadId))
        {
            await _requests.EndAsync(promised.Key, other.Id, cancellationToken);
        }

        if (await FindAsync(promised, cancellationToken) is { } there)
        {
            return there;
        }

        // Not every server says so when it is asked to complete what is over
        if (open.All(upload => upload.Id != uploadId))
        {
            throw new UploadEndedException(promised.Key);
        }

        var list = new XElement(
            "CompleteMultipartUpload",
            etags
                .Index()
                .Select(part => new XElement("Part", new XElement("PartNumber", part.Index + 1), new XElement("ETag", $"\"{part.Item}\"")))
        );
        try
        {
            // As long as it takes: some stores put the parts together only now
            await _requests.SendAsync(
                new("complete the upload of", HttpMethod.Post, promised.Key, [new("uploadId", uploadId)])
                {
                    Body = list,
                    Pipeline = _s3.Resilience.Transfer,
                },
                cancellationToken
            );
        }
        catch (UploadEndedException)
        {
            // Perhaps by this very call, whose first answer was lost
            return await FindAsync(promised, cancellationToken) ?? throw new UploadEndedException(promised.Key);
        }

        var stored = await _store.StatAsync(promised.Key, cancellationToken) ?? throw new ArtifactNotFoundException(promised.Key);
        return promised.IsKeptBy(stored)
            ? stored
            : throw new ArtifactCorruptException(
                $"'{promised.Key}' was stored with {stored.SizeBytes} bytes and SHA-256 {stored.Sha256 ?? "none"}; promised were "
                    + $"{promised.SizeBytes} and {promised.Sha256}"
            );
    }

    private async Task<StoredObject?> FindAsync(PromisedObject promised, CancellationToken cancellationToken) =>
        promised.Checked(await _store.StatAsync(promised.Key, cancellationToken));

    private async Task<string> InitiateAsync(PromisedObject promised, CancellationToken cancellationToken)
    {
        var headers = new Dictionary<string, string>
        {
            ["Content-Type"] = promised.ContentType,
            [S3ArtifactStore.ChecksumHeader] = promised.Sha256,
        };
        var answer = await _requests.SendAsync(
            new("begin the upload of", HttpMethod.Post, promised.Key, [new("uploads", "")]) { Headers = headers },
            cancellationToken
        );
        return answer.Text("UploadId");
    }
}
