using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Minio;
using Minio.DataModel.Args;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Artifacts;

/// <summary>
/// Artifacts in a bucket. The SDK signs each payload with its SHA-256, so the server itself refuses bytes that changed
/// on the way, and sends anything above 16 MiB in parts. Reads go through a presigned link: the SDK throws on ranges
/// and pushes whole objects through a callback.
/// </summary>
public sealed class S3ArtifactStore : IArtifactStore, IDisposable
{
    internal const string ChecksumHeader = "x-amz-meta-sha256";
    private static readonly TimeSpan ReadLinkLifetime = TimeSpan.FromMinutes(15);

    private readonly S3Connection _s3;
    private readonly S3Multipart _requests;
    private readonly IMinioClient _outside;
    private readonly IMinioClient _forWorkers;

    public S3ArtifactStore(S3Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        (_s3, _requests) = (connection, new S3Multipart(connection, connection.Time));
        _outside = connection.ClientOf(connection.Options.EndpointFor(LinkReach.Public));
        _forWorkers = connection.ClientOf(connection.Options.EndpointFor(LinkReach.Worker));
    }

    public Task EnsureReadyAsync(CancellationToken cancellationToken) => _s3.EnsureBucketAsync(cancellationToken);

    public async Task<StoredObject> PutFileAsync(
        string key,
        string path,
        string contentType,
        string sha256,
        CancellationToken cancellationToken
    )
    {
        ObjectKeys.Checked(key);
        var actual = await FileChecksum.Sha256Async(path, cancellationToken);
        if (actual != sha256)
        {
            throw new ArtifactCorruptException($"{path} has SHA-256 {actual}, promised was {sha256}: nothing was stored as '{key}'");
        }

        await _s3.EnsureBucketSeenAsync(cancellationToken);
        var size = new FileInfo(path).Length;
        await _s3.GuardedAsync(
            "store",
            key,
            _s3.Resilience.Transfer,
            async token =>
            {
                await using var file = FileChecksum.OpenSequential(path);
                return await _s3.Client.PutObjectAsync(
                    new PutObjectArgs()
                        .WithBucket(_s3.Options.Bucket)
                        .WithObject(key)
                        .WithStreamData(file)
                        .WithObjectSize(size)
                        .WithContentType(contentType)
                        .WithHeaders(new Dictionary<string, string> { [ChecksumHeader] = sha256 }),
                    token
                );
            },
            cancellationToken
        );

        var stored = await StatAsync(key, cancellationToken) ?? throw new ArtifactNotFoundException(key);
        if (stored.SizeBytes != size || stored.Sha256 != sha256)
        {
            throw new ArtifactCorruptException(
                $"'{key}' was stored with {stored.SizeBytes} bytes and SHA-256 {stored.Sha256 ?? "none"}; sent were {size} and {sha256}"
            );
        }

        return stored;
    }

    public async Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var stat = await _s3.GuardedAsync(
                "look up",
                ObjectKeys.Checked(key),
                _s3.Resilience.Small,
                token => _s3.Client.StatObjectAsync(new StatObjectArgs().WithBucket(_s3.Options.Bucket).WithObject(key), token),
                cancellationToken
            );
            var checksum = stat.MetaData.FirstOrDefault(pair => pair.Key.EndsWith("sha256", StringComparison.OrdinalIgnoreCase)).Value;
            return new StoredObject(key, stat.Size, new DateTimeOffset(stat.LastModified.ToUniversalTime()), stat.ContentType, checksum);
        }
        catch (ArtifactNotFoundException)
        {
            return null;
        }
    }

    public Task<Stream> OpenReadAsync(string key, ByteRange? range, CancellationToken cancellationToken) =>
        _s3.GuardedAsync(
            "read",
            ObjectKeys.Checked(key),
            _s3.Resilience.Small,
            async token =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, await PresignAsync(_s3.Client, key, ReadLinkLifetime, null));
                if (range is { } part)
                {
                    request.Headers.Range = new RangeHeaderValue(part.First, part.Last);
                }

                var response = await _s3.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
                if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
                {
                    return await response.Content.ReadAsStreamAsync(token);
                }

                using (response)
                {
                    if (response.StatusCode == HttpStatusCode.NotFound)
                    {
                        throw new ArtifactNotFoundException(key);
                    }

                    if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                    {
                        return Stream.Null;
                    }

                    throw new HttpRequestException($"the S3 server answered {(int)response.StatusCode}", null, response.StatusCode);
                }
            },
            cancellationToken
        );

    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        _s3.GuardedAsync(
            "delete",
            ObjectKeys.Checked(key),
            _s3.Resilience.Small,
            async token =>
            {
                await _s3.Client.RemoveObjectAsync(new RemoveObjectArgs().WithBucket(_s3.Options.Bucket).WithObject(key), token);
                return true;
            },
            cancellationToken
        );

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var args = new ListObjectsArgs().WithBucket(_s3.Options.Bucket).WithPrefix(prefix).WithRecursive(true);
        // The SDK's listing has one token for all of its pages, and each page has its own time
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var items = _s3.Client.ListObjectsEnumAsync(args, ended.Token).GetAsyncEnumerator(ended.Token);
        while (await _s3.GuardedAsync("list", prefix, _s3.Resilience.Page, NextAsync, cancellationToken))
        {
            if (items.Current is { IsDir: false } item)
            {
                yield return new StoredObject(
                    item.Key,
                    (long)item.Size,
                    new DateTimeOffset((item.LastModifiedDateTime ?? default).ToUniversalTime())
                );
            }
        }

        async Task<bool> NextAsync(CancellationToken timeIsUp)
        {
            await using var end = timeIsUp.Register(ended.Cancel);
            return await items.MoveNextAsync();
        }
    }

    /// <remarks>Servers that list parts only under an object's exact name (MinIO) show none here; they end old uploads by
    /// themselves.</remarks>
    public async Task<int> RemoveUnfinishedAsync(DateTimeOffset begunBefore, CancellationToken cancellationToken)
    {
        var ended = 0;
        foreach (var upload in (await _requests.OpenAsync(key: null, cancellationToken)).Where(IsOwn))
        {
            if (upload.Initiated < begunBefore && await _requests.EndAsync(upload.Key, upload.Id, cancellationToken))
            {
                ended++;
            }
        }

        return ended;

        // Who shares the bucket has uploads too
        static bool IsOwn(OpenUpload upload) =>
            upload.Key.StartsWith(ObjectKeys.Videos, StringComparison.Ordinal)
            || upload.Key.StartsWith(ObjectKeys.Inputs, StringComparison.Ordinal);
    }

    public async Task<Uri?> PresignGetAsync(
        string key,
        TimeSpan lifetime,
        LinkReach reach,
        string? downloadName,
        CancellationToken cancellationToken
    ) => new(await PresignAsync(reach == LinkReach.Public ? _outside : _forWorkers, ObjectKeys.Checked(key), lifetime, downloadName));

    /// <summary>The connection is whose it was.</summary>
    public void Dispose()
    {
        _outside.Dispose();
        _forWorkers.Dispose();
    }

    /// <summary>Signing is arithmetic: no request is made, since the region is known.</summary>
    private Task<string> PresignAsync(IMinioClient client, string key, TimeSpan lifetime, string? downloadName)
    {
        var args = new PresignedGetObjectArgs()
            .WithBucket(_s3.Options.Bucket)
            .WithObject(key)
            .WithExpiry((int)Math.Clamp(lifetime.TotalSeconds, 1, 604_800));
        if (downloadName is not null)
        {
            args = args.WithHeaders(
                new Dictionary<string, string> { ["response-content-disposition"] = $"attachment; filename=\"{downloadName}\"" }
            );
        }

        return client.PresignedGetObjectAsync(args);
    }
}
