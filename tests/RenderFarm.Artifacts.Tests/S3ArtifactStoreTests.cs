using System.Net;
using System.Net.Sockets;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Artifacts.Tests;

public sealed class S3ArtifactStoreTests : ArtifactStoreConformance, IDisposable
{
    private readonly List<S3ArtifactStore> _stores = [];

    protected override async Task<IArtifactStore> StoreAsync() => await OpenAsync(_ => { });

    [Fact]
    public async Task PresignGet_PublicEndpoint_PointsThereAndNamesTheDownload()
    {
        IArtifactStore store = await OpenAsync(o => o.PublicEndpoint = "http://videos.example.com");

        Uri? link = await store.PresignGetAsync("videos/job/1/video.mp4", TimeSpan.FromMinutes(1), LinkReach.Public, "clip.mp4", Cancellation);

        Assert.Equal("videos.example.com", link?.Host);
        Assert.Contains("clip.mp4", Uri.UnescapeDataString(link!.Query), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PresignGet_InternalReach_WorksWithoutAKey()
    {
        IArtifactStore store = await OpenAsync(o => o.PublicEndpoint = "http://videos.example.com");
        using SampleFile file = SampleFile.Of("for anyone with the link");
        string key = ObjectKeys.Input("job" + Guid.NewGuid().ToString("n"), "input_reference");
        await store.PutFileAsync(key, file.Path, "image/png", file.Sha256, Cancellation);

        Uri? link = await store.PresignGetAsync(key, TimeSpan.FromMinutes(1), LinkReach.Internal, null, Cancellation);

        using HttpClient anybody = new();
        Assert.Equal(file.Bytes, await anybody.GetByteArrayAsync(link, Cancellation));
    }

    [Fact]
    public async Task AnyCall_WrongSecret_SaysWhichSettingsToCheck()
    {
        using S3ArtifactStore store = new(Options(o => o.SecretKey = "not-the-secret"), TimeProvider.System);

        ArtifactStoreException fault = await Assert.ThrowsAsync<ArtifactStoreException>(() => store.EnsureReadyAsync(Cancellation));

        Assert.Contains("Artifacts:SecretKey", fault.Message, StringComparison.Ordinal);
        Assert.False(fault.IsTransient);
    }

    [Fact]
    public async Task PutFile_ServerAway_FailsAsTransientAndTheNextCallsFailAtOnce()
    {
        using S3ArtifactStore store = new(Options(o => o.Endpoint = $"http://127.0.0.1:{UnusedPort()}"), TimeProvider.System);
        using SampleFile file = SampleFile.Of("x");
        string key = ObjectKeys.For(ArtifactKind.Video, "job", 1);

        for (int call = 0; call < 3; call++)
        {
            ArtifactStoreException fault = await Assert.ThrowsAsync<ArtifactStoreException>(
                () => store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation));
            Assert.True(fault.IsTransient);
            if (call == 2) Assert.IsType<Polly.CircuitBreaker.BrokenCircuitException>(fault.InnerException);
        }
    }

    /// <summary>What the HTTP client lets through when a connection is reset while it is being made.</summary>
    [Fact]
    public void IsTransient_BareSocketFault_IsTrue() => Assert.True(S3Resilience.IsTransient(new SocketException((int)SocketError.NotConnected)));

    public void Dispose()
    {
        foreach (S3ArtifactStore store in _stores) store.Dispose();
    }

    private async Task<IArtifactStore> OpenAsync(Action<ArtifactsOptions> change)
    {
        S3ArtifactStore store = new(Options(change), TimeProvider.System);
        _stores.Add(store);
        await store.EnsureReadyAsync(Cancellation);
        return store;
    }

    private static ArtifactsOptions Options(Action<ArtifactsOptions> change)
    {
        string? address = Environment.GetEnvironmentVariable("RENDERFARM_TEST_S3");
        Assert.SkipWhen(string.IsNullOrEmpty(address), "no S3 server (RENDERFARM_TEST_S3): run ./farm test");
        Uri uri = new(address!);
        string[] keys = uri.UserInfo.Split(':');
        ArtifactsOptions options = new()
        {
            Kind = "s3",
            Endpoint = uri.GetLeftPart(UriPartial.Authority).Replace(uri.UserInfo + "@", "", StringComparison.Ordinal),
            AccessKey = keys[0],
            SecretKey = keys[1],
            Bucket = "renderfarm-artifacts-tests",
        };
        change(options);
        return options;
    }

    private static int UnusedPort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
