using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Polly;

namespace RenderFarm.Artifacts;

/// <summary>
/// Uploads in parts into a bucket, by S3's own multipart uploads. The SDK keeps their steps to itself and presigns whole objects only,
/// so these few requests are made here, each by a link of <see cref="S3Signature"/> as those that are given away.
/// </summary>
/// <remarks>
/// S3 lets two uploads of one object be open, and the one that is completed last wins. <see cref="CompleteAsync"/> ends the others, then
/// looks for the object, then completes its own: of two that do so at the same time one has ended the other, or finds its object.
/// </remarks>
public sealed class S3PartUploads : IPartUploads
{
    private static readonly TimeSpan OwnLifetime = TimeSpan.FromMinutes(15);

    private readonly S3Connection _s3;
    private readonly IArtifactStore _store;
    private readonly TimeProvider _time;
    private readonly S3Signature _signature;

    /// <param name="store">On the same connection.</param>
    public S3PartUploads(S3Connection connection, IArtifactStore store, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(connection);
        (_s3, _store, _time) = (connection, store, time);
        var options = connection.Options;
        _signature = new S3Signature(options.AccessKey!, options.SecretKey!, options.Region);
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
        var open = await OpenAsync(promised.Key, cancellationToken);
        return open.OrderBy(upload => upload.Initiated).ThenBy(upload => upload.Id, StringComparer.Ordinal).FirstOrDefault()?.Id
            ?? await InitiateAsync(promised, cancellationToken);
    }

    public async Task<IReadOnlyList<StoredPart>> ListPartsAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        List<StoredPart> parts = [];
        var after = "0";
        while (true)
        {
            var page = await SendAsync(
                new("list the parts of", HttpMethod.Get, key, [new("uploadId", uploadId), new("part-number-marker", after)]),
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
        var link = _signature.Presign(
            HttpMethod.Put,
            AddressOf(_s3.Options.EndpointFor(LinkReach.Worker), key),
            [new("partNumber", number.ToString(CultureInfo.InvariantCulture)), new("uploadId", uploadId)],
            headers,
            _time.GetUtcNow(),
            lifetime
        );
        return new PartTarget(link, headers);
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
        var open = await OpenAsync(promised.Key, cancellationToken);
        foreach (var other in open.Where(upload => upload.Id != uploadId))
        {
            await EndAsync(promised.Key, other.Id, cancellationToken);
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
            await SendAsync(
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
        var answer = await SendAsync(
            new("begin the upload of", HttpMethod.Post, promised.Key, [new("uploads", "")]) { Headers = headers },
            cancellationToken
        );
        return answer.Text("UploadId");
    }

    private async Task<List<OpenUpload>> OpenAsync(string key, CancellationToken cancellationToken)
    {
        List<OpenUpload> open = [];
        KeyValuePair<string, string>[] marker = [];
        while (true)
        {
            var page = await SendAsync(
                new("list the uploads of", HttpMethod.Get, Key: null, [new("uploads", ""), new("prefix", key), .. marker]),
                cancellationToken
            );
            open.AddRange(
                page.Each("Upload")
                    .Where(upload => upload.Text("Key") == key)
                    .Select(upload => new OpenUpload(
                        upload.Text("UploadId"),
                        DateTimeOffset.Parse(upload.Text("Initiated"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
                    ))
            );
            if (page.Text("IsTruncated") != "true")
            {
                return open;
            }

            marker = [new("key-marker", page.Text("NextKeyMarker")), new("upload-id-marker", page.Text("NextUploadIdMarker"))];
        }
    }

    private async Task EndAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(new("end the upload of", HttpMethod.Delete, key, [new("uploadId", uploadId)]), cancellationToken);
        }
        catch (UploadEndedException)
        {
            // Ended already
        }
    }

    private Task<S3Answer> SendAsync(S3Call call, CancellationToken cancellationToken) =>
        _s3.GuardedAsync(
            call.Verb,
            call.Key ?? _s3.Options.Bucket,
            call.Pipeline ?? _s3.Resilience.Small,
            async token =>
            {
                var address = AddressOf(_s3.Options.Endpoint!, call.Key);
                var link = _signature.Presign(call.Method, address, call.Query, call.Headers, _time.GetUtcNow(), OwnLifetime);
                using var request = new HttpRequestMessage(call.Method, link);
                if (call.Method == HttpMethod.Post)
                {
                    var body = call.Body?.ToString(SaveOptions.DisableFormatting) ?? "";
                    request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
                }

                foreach (var (name, value) in call.Headers)
                {
                    if (!request.Headers.TryAddWithoutValidation(name, value))
                    {
                        request.Content!.Headers.TryAddWithoutValidation(name, value);
                    }
                }

                using var response = await _s3.Http.SendAsync(request, token);
                return await S3Answer.ReadAsync(response, call.Key ?? _s3.Options.Bucket, token);
            },
            cancellationToken
        );

    private Uri AddressOf(string endpoint, string? key) =>
        new($"{endpoint.TrimEnd('/')}/{_s3.Options.Bucket}{(key is null ? "" : "/" + ObjectKeys.Checked(key))}");

    /// <param name="Key">Null for what is asked of the bucket.</param>
    private sealed record S3Call(string Verb, HttpMethod Method, string? Key, KeyValuePair<string, string>[] Query)
    {
        public Dictionary<string, string> Headers { get; init; } = [];
        public XElement? Body { get; init; }

        /// <summary>How it is tried; null: as a call that moves no content.</summary>
        public ResiliencePipeline? Pipeline { get; init; }
    }

    private sealed record OpenUpload(string Id, DateTimeOffset Initiated);
}
