using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Minio;
using Minio.DataModel;
using Minio.DataModel.Args;
using Minio.Exceptions;
using Polly;

namespace RenderFarm.Artifacts;

/// <summary>
/// Artifacts in a bucket. The SDK signs each payload with its SHA-256, so the server itself refuses bytes that changed
/// on the way, and sends anything above 16 MiB in parts. Reads go through a presigned link: the SDK throws on ranges
/// and pushes whole objects through a callback.
/// </summary>
public sealed class S3ArtifactStore : IArtifactStore, IDisposable
{
    private const string ChecksumHeader = "x-amz-meta-sha256";
    private static readonly TimeSpan ReadLinkLifetime = TimeSpan.FromMinutes(15);

    private readonly HttpClient _http;
    private readonly IMinioClient _inside;
    private readonly IMinioClient _outside;
    private readonly S3Resilience _resilience;
    private readonly ArtifactsOptions _options;
    private bool _bucketSeen;

    public S3ArtifactStore(ArtifactsOptions options, TimeProvider time)
    {
        _options = options;
        _http = new HttpClient(
            new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(2) }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan, // The pipeline bounds each call; a video streamed to a slow reader may take longer
        };
        _inside = Client(options.Endpoint!);
        _outside = Client(string.IsNullOrEmpty(options.PublicEndpoint) ? options.Endpoint! : options.PublicEndpoint);
        _resilience = new S3Resilience(time);
    }

    public Task EnsureReadyAsync(CancellationToken cancellationToken) =>
        Guarded(
            "prepare bucket",
            _options.Bucket,
            _resilience.Small,
            async token =>
            {
                if (!await _inside.BucketExistsAsync(new BucketExistsArgs().WithBucket(_options.Bucket), token))
                {
                    await _inside.MakeBucketAsync(new MakeBucketArgs().WithBucket(_options.Bucket).WithLocation(_options.Region), token);
                }

                _bucketSeen = true;
                return true;
            },
            cancellationToken
        );

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

        if (!_bucketSeen)
        {
            await EnsureReadyAsync(cancellationToken);
        }

        var size = new FileInfo(path).Length;
        await Guarded(
            "store",
            key,
            _resilience.Transfer,
            async token =>
            {
                await using var file = FileChecksum.OpenSequential(path);
                return await _inside.PutObjectAsync(
                    new PutObjectArgs()
                        .WithBucket(_options.Bucket)
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
            var stat = await Guarded(
                "look up",
                ObjectKeys.Checked(key),
                _resilience.Small,
                token => _inside.StatObjectAsync(new StatObjectArgs().WithBucket(_options.Bucket).WithObject(key), token),
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
        Guarded(
            "read",
            ObjectKeys.Checked(key),
            _resilience.Small,
            async token =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, await PresignAsync(_inside, key, ReadLinkLifetime, null));
                if (range is { } part)
                {
                    request.Headers.Range = new RangeHeaderValue(part.First, part.Last);
                }

                var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
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
        Guarded(
            "delete",
            ObjectKeys.Checked(key),
            _resilience.Small,
            async token =>
            {
                await _inside.RemoveObjectAsync(new RemoveObjectArgs().WithBucket(_options.Bucket).WithObject(key), token);
                return true;
            },
            cancellationToken
        );

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var args = new ListObjectsArgs().WithBucket(_options.Bucket).WithPrefix(prefix).WithRecursive(true);
        // The SDK's listing has one token for all of its pages, and each page has its own time
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var items = _inside.ListObjectsEnumAsync(args, ended.Token).GetAsyncEnumerator(ended.Token);
        while (await Guarded("list", prefix, _resilience.Page, NextAsync, cancellationToken))
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
        var args = new ListIncompleteUploadsArgs().WithBucket(_options.Bucket).WithRecursive(true);
        var open = await Guarded(
            "list unfinished uploads of",
            _options.Bucket,
            _resilience.Small,
            async token => await _inside.ListIncompleteUploadsEnumAsync(args, token).ToListAsync(token),
            cancellationToken
        );
        // The SDK ends all uploads of a key together: one that is being tried again right now keeps the old ones alive
        string[] keys =
        [
            .. open.GroupBy(upload => upload.Key).Where(key => key.All(upload => BegunAt(upload) < begunBefore)).Select(key => key.Key),
        ];
        foreach (var key in keys)
        {
            await Guarded(
                "end the unfinished upload of",
                key,
                _resilience.Small,
                async token =>
                {
                    await _inside.RemoveIncompleteUploadAsync(
                        new RemoveIncompleteUploadArgs().WithBucket(_options.Bucket).WithObject(key),
                        token
                    );
                    return true;
                },
                cancellationToken
            );
        }

        return keys.Length;

        static DateTimeOffset BegunAt(Upload upload) =>
            DateTimeOffset.Parse(upload.Initiated, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
    }

    public async Task<Uri?> PresignGetAsync(
        string key,
        TimeSpan lifetime,
        LinkReach reach,
        string? downloadName,
        CancellationToken cancellationToken
    ) => new(await PresignAsync(reach == LinkReach.Public ? _outside : _inside, ObjectKeys.Checked(key), lifetime, downloadName));

    public void Dispose()
    {
        _inside.Dispose();
        _outside.Dispose();
        _http.Dispose();
    }

    private IMinioClient Client(string endpoint)
    {
        var uri = new Uri(endpoint);
        return new MinioClient()
            .WithEndpoint(uri.Authority)
            .WithSSL(uri.Scheme == "https")
            .WithRegion(_options.Region)
            .WithCredentials(_options.AccessKey, _options.SecretKey)
            .WithHttpClient(_http)
            .Build();
    }

    /// <summary>Signing is arithmetic: no request is made, since the region is known.</summary>
    private Task<string> PresignAsync(IMinioClient client, string key, TimeSpan lifetime, string? downloadName)
    {
        var args = new PresignedGetObjectArgs()
            .WithBucket(_options.Bucket)
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

    private async Task<T> Guarded<T>(
        string verb,
        string key,
        ResiliencePipeline pipeline,
        Func<CancellationToken, Task<T>> work,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await pipeline.ExecuteAsync(async token => await work(token), cancellationToken);
        }
        catch (ObjectNotFoundException fault)
        {
            throw new ArtifactNotFoundException(key, fault);
        }
        catch (Exception fault) when (fault is AccessDeniedException or AuthorizationException)
        {
            throw new ArtifactStoreException(
                $"the S3 server at {_options.Endpoint} refused to {verb} '{key}': check Artifacts:AccessKey, Artifacts:SecretKey and "
                    + "Artifacts:Bucket",
                isTransient: false,
                fault
            );
        }
        catch (Exception fault) when (S3Resilience.IsTransient(fault) || fault is MinioException)
        {
            throw new ArtifactStoreException(
                $"can't {verb} '{key}' at {_options.Endpoint}: {fault.Message}",
                S3Resilience.IsTransient(fault),
                fault
            );
        }
    }
}
