using Minio;
using Minio.DataModel.Args;
using Minio.Exceptions;
using Polly;

namespace RenderFarm.Artifacts;

/// <summary>The one way to the S3 server: what all calls share, and what their faults mean.</summary>
public sealed class S3Connection : IDisposable
{
    private readonly SemaphoreSlim _preparing = new(1);
    private volatile bool _bucketSeen;

    public S3Connection(ArtifactsOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        (Options, Time) = (options, time);
        Http = new HttpClient(
            new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(2) }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan, // The pipeline bounds each call; a video streamed to a slow reader may take longer
        };
        Resilience = new S3Resilience(time);
        Client = ClientOf(options.Endpoint!);
    }

    internal ArtifactsOptions Options { get; }

    internal TimeProvider Time { get; }

    internal HttpClient Http { get; }

    internal S3Resilience Resilience { get; }

    /// <summary>The SDK, at the endpoint that this process itself uses.</summary>
    internal IMinioClient Client { get; }

    /// <summary>The SDK at another address of the same server, for links that somebody else follows.</summary>
    internal IMinioClient ClientOf(string endpoint)
    {
        var uri = new Uri(endpoint);
        return new MinioClient()
            .WithEndpoint(uri.Authority)
            .WithSSL(uri.Scheme == "https")
            .WithRegion(Options.Region)
            .WithCredentials(Options.AccessKey, Options.SecretKey)
            .WithHttpClient(Http)
            .Build();
    }

    /// <summary>Makes the bucket where there is none.</summary>
    internal Task EnsureBucketAsync(CancellationToken cancellationToken) =>
        GuardedAsync(
            "prepare bucket",
            Options.Bucket,
            Resilience.Small,
            async token =>
            {
                await _preparing.WaitAsync(token);
                try
                {
                    if (!await Client.BucketExistsAsync(new BucketExistsArgs().WithBucket(Options.Bucket), token))
                    {
                        await Client.MakeBucketAsync(new MakeBucketArgs().WithBucket(Options.Bucket).WithLocation(Options.Region), token);
                    }
                }
                finally
                {
                    _preparing.Release();
                }

                _bucketSeen = true;
                return true;
            },
            cancellationToken
        );

    /// <summary>As <see cref="EnsureBucketAsync"/>, once.</summary>
    internal Task EnsureBucketSeenAsync(CancellationToken cancellationToken) =>
        _bucketSeen ? Task.CompletedTask : EnsureBucketAsync(cancellationToken);

    public void Dispose()
    {
        Client.Dispose();
        Http.Dispose();
        _preparing.Dispose();
    }

    internal async Task<T> GuardedAsync<T>(
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
        catch (Exception fault) when (S3Resilience.IsRefusal(fault))
        {
            throw new ArtifactStoreException(
                $"the S3 server at {Options.Endpoint} refused to {verb} '{key}': check Artifacts:AccessKey, Artifacts:SecretKey and "
                    + "Artifacts:Bucket",
                isTransient: false,
                fault
            );
        }
        catch (Exception fault) when (S3Resilience.IsTransient(fault) || fault is MinioException)
        {
            throw new ArtifactStoreException(
                $"can't {verb} '{key}' at {Options.Endpoint}: {S3Resilience.CauseOf(fault)}",
                S3Resilience.IsTransient(fault),
                fault
            );
        }
    }
}
