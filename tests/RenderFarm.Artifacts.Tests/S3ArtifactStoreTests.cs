using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Minio;
using Minio.DataModel.Args;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Artifacts.Tests;

public sealed class S3ArtifactStoreTests : ArtifactStoreConformance, IDisposable
{
    private readonly List<S3Connection> _connections = [];

    protected override async Task<IArtifactStore> StoreAsync() => await OpenAsync(_ => { });

    [Fact]
    public async Task PresignGet_PublicEndpoint_PointsThereAndNamesTheDownload()
    {
        var store = await OpenAsync(o => o.PublicEndpoint = "http://videos.example.com");

        var link = await store.PresignGetAsync(
            "videos/job/1/video.mp4",
            TimeSpan.FromMinutes(1),
            LinkReach.Public,
            "clip.mp4",
            Cancellation
        );

        Assert.Equal("videos.example.com", link?.Host);
        Assert.Contains("clip.mp4", Uri.UnescapeDataString(link!.Query), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PresignGet_WorkerReach_WorksWithoutAKey()
    {
        var store = await OpenAsync(o => o.PublicEndpoint = "http://videos.example.com");
        using var file = SampleFile.Of("for anyone with the link");
        var key = ObjectKeys.Input("job" + Guid.NewGuid().ToString("n"), "input_reference");
        await store.PutFileAsync(key, file.Path, "image/png", file.Sha256, Cancellation);

        var link = await store.PresignGetAsync(key, TimeSpan.FromMinutes(1), LinkReach.Worker, null, Cancellation);

        using var anybody = new HttpClient();
        Assert.Equal(file.Bytes, await anybody.GetByteArrayAsync(link, Cancellation));
    }

    [Fact]
    public async Task AnyCall_WrongSecret_SaysWhichSettingsToCheck()
    {
        using var store = Open(S3Server.Options(o => o.SecretKey = "not-the-secret"));

        var fault = await Assert.ThrowsAsync<ArtifactStoreException>(() => store.EnsureReadyAsync(Cancellation));

        Assert.Contains("Artifacts:SecretKey", fault.Message, StringComparison.Ordinal);
        Assert.False(fault.IsTransient);
    }

    [Fact]
    public async Task RemoveUnfinished_UploadBrokeOffBetweenParts_EndsItWhenItIsOldEnough()
    {
        using var store = Open(S3Server.Options(o => o.Bucket = "renderfarm-unfinished-tests"));
        await store.EnsureReadyAsync(Cancellation);
        _ = await store.RemoveUnfinishedAsync(DateTimeOffset.MaxValue, Cancellation);
        using var file = SampleFile.Of("whole");
        var whole = ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 1, "0a1b2c3d4e5f"));
        await store.PutFileAsync(whole, file.Path, "video/mp4", file.Sha256, Cancellation);
        await BreakOffAsync("renderfarm-unfinished-tests", ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 2, "0a1b2c3d4e5f")));

        await BreakOffAsync("renderfarm-unfinished-tests", "backup/of-somebody-else.tar");

        Assert.Equal(0, await store.RemoveUnfinishedAsync(DateTimeOffset.UnixEpoch, Cancellation));
        Assert.Equal(1, await store.RemoveUnfinishedAsync(DateTimeOffset.MaxValue, Cancellation));
        Assert.Equal(0, await store.RemoveUnfinishedAsync(DateTimeOffset.MaxValue, Cancellation));
        Assert.Equal(file.Sha256, (await store.StatAsync(whole, Cancellation))?.Sha256);
    }

    /// <summary>It was completed, or ended by another API's janitor, after it was listed.</summary>
    [Fact]
    public async Task EndUpload_ThatHasEnded_IsNoFault()
    {
        using var store = Open(S3Server.Options(o => o.Bucket = "renderfarm-unfinished-tests"));
        await store.EnsureReadyAsync(Cancellation);
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 3, "0a1b2c3d4e5f"));
        await BreakOffAsync("renderfarm-unfinished-tests", key);
        var uploads = new S3Multipart(_connections[^1], TimeProvider.System);
        var upload = Assert.Single(await uploads.OpenAsync(key, Cancellation));

        Assert.True(await uploads.EndAsync(key, upload.Id, Cancellation));
        Assert.False(await uploads.EndAsync(key, upload.Id, Cancellation));
    }

    [Fact]
    public async Task PutFile_ServerAway_FailsAsTransientAndTheNextCallsFailAtOnce()
    {
        using var store = Open(S3Server.Options(o => o.Endpoint = $"http://127.0.0.1:{UnusedPort()}"));
        using var file = SampleFile.Of("x");
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 1, "0a1b2c3d4e5f"));

        for (var call = 0; call < 3; call++)
        {
            var fault = await Assert.ThrowsAsync<ArtifactStoreException>(() =>
                store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation)
            );
            Assert.True(fault.IsTransient);
            // Whether it is asked or not: an operator reads what is the matter, and not how we take it
            Assert.Contains("Connection refused", fault.Message, StringComparison.Ordinal);
            if (call == 2)
            {
                Assert.IsType<Polly.CircuitBreaker.BrokenCircuitException>(fault.InnerException);
            }
        }
    }

    /// <summary>A server that takes connections and says nothing, as a frozen one does: whoever lists must not wait for ever.</summary>
    [Fact]
    public async Task List_ServerNeverAnswers_FailsAsTransient()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var time = new FakeTimeProvider();
        using var store = OpenAt($"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}", time);

        var listing = store.ListAsync("videos/", Cancellation).ToListAsync(Cancellation).AsTask();
        using var asked = await silent.AcceptTcpClientAsync(Cancellation);
        time.Advance(S3Resilience.SmallTime);

        Assert.True((await Assert.ThrowsAsync<ArtifactStoreException>(() => listing)).IsTransient);
    }

    /// <summary>Pages of proxies and answers that broke off: to the farm a store out of sorts, whatever the SDK makes of it.</summary>
    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "")]
    [InlineData(HttpStatusCode.InternalServerError, "<Error><Code>InternalError</Code></Error>")]
    [InlineData(HttpStatusCode.InternalServerError, "<Error><Code>InternalErr")]
    [InlineData(HttpStatusCode.BadGateway, "<html><body>bad gateway</body></html>")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "no server is available")]
    [InlineData(HttpStatusCode.InternalServerError, "<Error></Error>")]
    [InlineData(HttpStatusCode.OK, "<html>welcome</html>")]
    [InlineData(HttpStatusCode.OK, "<ListBucketResult><Contents><Key>videos/")]
    public async Task Janitor_AnswerThatIsNone_FailsAsTransient(HttpStatusCode status, string body)
    {
        using var server = new OddServer(UnusedPort(), status, body);
        Func<S3ArtifactStore, Task>[] calls =
        [
            store => store.RemoveUnfinishedAsync(DateTimeOffset.MaxValue, Cancellation),
            store => store.ListAsync("videos/", Cancellation).ToListAsync(Cancellation).AsTask(),
            store => store.DeleteAsync("videos/job/1-0a1b2c3d4e5f/video.mp4", Cancellation),
            store => store.EnsureReadyAsync(Cancellation),
        ];
        var stores = calls.Select(_ => OpenAt(server.Address)).ToList();

        foreach (var fault in await Task.WhenAll(calls.Zip(stores, (call, store) => Record.ExceptionAsync(() => call(store)).AsTask())))
        {
            Assert.True(fault is null ? status == HttpStatusCode.OK : fault is ArtifactStoreException { IsTransient: true }, $"{fault}");
        }
    }

    /// <summary>Whatever is asked of it, a server that refuses is told of with the settings that it may be about.</summary>
    [Theory]
    [InlineData("AccessDenied")]
    [InlineData("InvalidAccessKeyId")]
    public async Task Call_Refused_NamesTheSettings(string code)
    {
        var body = $"<Error><Code>{code}</Code><Message>no</Message></Error>";
        using var server = new OddServer(UnusedPort(), HttpStatusCode.Forbidden, body);
        Func<S3ArtifactStore, Task>[] calls =
        [
            store => store.RemoveUnfinishedAsync(DateTimeOffset.MaxValue, Cancellation),
            store => store.ListAsync("videos/", Cancellation).ToListAsync(Cancellation).AsTask(),
            store => store.DeleteAsync("videos/job/1-0a1b2c3d4e5f/video.mp4", Cancellation),
            store => store.StatAsync("videos/job/1-0a1b2c3d4e5f/video.mp4", Cancellation),
        ];
        foreach (var call in calls)
        {
            var fault = await Assert.ThrowsAsync<ArtifactStoreException>(() => call(OpenAt(server.Address)));
            Assert.Contains("Artifacts:SecretKey", fault.Message, StringComparison.Ordinal);
            Assert.False(fault.IsTransient);
        }
    }

    [Fact]
    public async Task PresignGet_ForWorkers_PointsWhereTheyReachTheStore()
    {
        var store = await OpenAsync(o => o.WorkerEndpoint = "http://store.rack:9000");

        var link = await store.PresignGetAsync("inputs/job/input_reference", TimeSpan.FromHours(1), LinkReach.Worker, null, Cancellation);

        Assert.Equal("http://store.rack:9000", link!.GetLeftPart(UriPartial.Authority));
    }

    /// <summary>What the HTTP client lets through when a connection is reset while it is being made.</summary>
    [Fact]
    public void IsTransient_BareSocketFault_IsTrue() =>
        Assert.True(S3Resilience.IsTransient(new SocketException((int)SocketError.NotConnected)));

    public void Dispose()
    {
        _connections.ForEach(one => one.Dispose());
    }

    /// <summary>Of a server that is none.</summary>
    private S3ArtifactStore OpenAt(string endpoint, TimeProvider? time = null) =>
        Open(
            new ArtifactsOptions
            {
                Kind = ArtifactsKind.S3,
                Endpoint = endpoint,
                AccessKey = "key",
                SecretKey = "secret",
                Bucket = "bucket",
            },
            time
        );

    private S3ArtifactStore Open(ArtifactsOptions options, TimeProvider? time = null)
    {
        _connections.Add(new S3Connection(options, time ?? TimeProvider.System));
        return new S3ArtifactStore(_connections[^1]);
    }

    private async Task<IArtifactStore> OpenAsync(Action<ArtifactsOptions> change)
    {
        var store = Open(S3Server.Options(change));
        await store.EnsureReadyAsync(Cancellation);
        return store;
    }

    /// <summary>Sends the first part of an object, and no other: as a worker that is killed.</summary>
    private static async Task BreakOffAsync(string bucket, string key)
    {
        var options = S3Server.Options();
        using var client = new MinioClient()
            .WithEndpoint(new Uri(options.Endpoint!).Authority)
            .WithSSL(false)
            .WithRegion(options.Region)
            .WithCredentials(options.AccessKey, options.SecretKey)
            .Build();
        using var content = new BreakingStream(breaksAt: 17 << 20);
        await Assert.ThrowsAnyAsync<IOException>(() =>
            client.PutObjectAsync(
                new PutObjectArgs()
                    .WithBucket(bucket)
                    .WithObject(key)
                    .WithStreamData(content)
                    .WithObjectSize(40 << 20)
                    .WithContentType("video/mp4"),
                Cancellation
            )
        );
    }

    private sealed class BreakingStream(long breaksAt) : MemoryStream(new byte[40 << 20])
    {
        public override int Read(byte[] buffer, int offset, int count) =>
            Position < breaksAt ? base.Read(buffer, offset, count) : throw new IOException("broken off");

        public override int Read(Span<byte> buffer) => Position < breaksAt ? base.Read(buffer) : throw new IOException("broken off");

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            Task.FromResult(Read(buffer, offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span));
    }

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
