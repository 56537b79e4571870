using System.Net;

namespace RenderFarm.Artifacts.Tests;

public sealed class S3PartUploadsTests : PartUploadsConformance, IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly HttpClient _anybody = new();
    private readonly List<S3Connection> _connections = [];

    // A bucket of its own: one of these tests ends whatever upload is open
    private readonly string _bucket = "parts-" + Guid.NewGuid().ToString("n");

    protected override async Task<IArtifactStore> StoreAsync()
    {
        var store = new S3ArtifactStore(Connect());
        await store.EnsureReadyAsync(Cancellation);
        return store;
    }

    protected override Task<IPartUploads> UploadsAsync()
    {
        var connection = Connect();
        return Task.FromResult<IPartUploads>(new S3PartUploads(connection, new S3ArtifactStore(connection), TimeProvider.System));
    }

    protected override async Task<string?> TrySendAsync(
        IPartUploads uploads,
        string key,
        string id,
        int number,
        byte[] part,
        string md5
    )
    {
        using var reply = await PutAsync(uploads.LinkTo(key, id, number, md5, Hour)!, part);
        return reply.IsSuccessStatusCode ? reply.Headers.ETag!.Tag.Trim('"') : null;
    }

    [Fact]
    public async Task Link_TurnedToAnotherPartUploadOrObject_OpensNothing()
    {
        var (uploads, file, promised) = (await UploadsAsync(), File(30), Promise(30));
        var id = await BegunAsync(uploads, promised);
        var (part, other) = (Part(file, 1), Promise(31, fence: 2));
        var otherId = await BegunAsync(uploads, other);
        var link = uploads.LinkTo(promised.Key, id, 1, Md5(part), Hour)!;
        var (inQuery, otherInQuery) = (Uri.EscapeDataString(id), Uri.EscapeDataString(otherId));
        var otherMd5 = new Dictionary<string, string> { ["Content-MD5"] = Md5(Part(file, 2)) };

        foreach (
            var (turned, bytes) in new (PartTarget, byte[])[]
            {
                (link with { Address = Changed(link.Address, "partNumber=1", "partNumber=2") }, part),
                (link with { Address = Changed(link.Address, inQuery, otherInQuery) }, part),
                (link with { Address = Changed(Changed(link.Address, promised.Key, other.Key), inQuery, otherInQuery) }, part),
                (link with { Address = Changed(link.Address, $"partNumber=1&uploadId={inQuery}&", "") }, part),
                (link with { Headers = new Dictionary<string, string>() }, part),
                (link with { Headers = otherMd5 }, Part(file, 2)),
            }
        )
        {
            using var reply = await PutAsync(turned, bytes);
            Assert.Equal(HttpStatusCode.Forbidden, reply.StatusCode);
        }

        using var read = await _anybody.GetAsync(link.Address, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, read.StatusCode);
        Assert.Empty(await uploads.ListPartsAsync(promised.Key, id, Cancellation));
        Assert.Empty(await uploads.ListPartsAsync(other.Key, otherId, Cancellation));
    }

    [Fact]
    public async Task Link_WhoseTimeIsOver_OpensNothing()
    {
        var connection = Connect();
        var anHourAgo = new OtherTime(TimeProvider.System.GetUtcNow() - Hour);
        var uploads = new S3PartUploads(connection, new S3ArtifactStore(connection), anHourAgo);
        var (part, promised) = (Part(File(32), 1), Promise(32));
        var id = await BegunAsync(await UploadsAsync(), promised);

        using var over = await PutAsync(uploads.LinkTo(promised.Key, id, 1, Md5(part), TimeSpan.FromMinutes(59))!, part);
        using var still = await PutAsync(uploads.LinkTo(promised.Key, id, 1, Md5(part), TimeSpan.FromMinutes(70))!, part);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (over.StatusCode, still.StatusCode));
    }

    [Fact]
    public void Link_ForWorkers_PointsWhereTheyReachTheStore()
    {
        var options = S3Server.Options(o =>
            (o.WorkerEndpoint, o.PublicEndpoint) = ("http://store.rack:9000", "https://videos.example.com")
        );
        using var connection = new S3Connection(options, TimeProvider.System);
        var uploads = new S3PartUploads(connection, new S3ArtifactStore(connection), TimeProvider.System);

        var link = uploads.LinkTo("videos/job/1-0a1b2c3d4e5f/video.mp4", "id", 7, Md5([1]), Hour)!;

        Assert.Equal("http://store.rack:9000", link.Address.GetLeftPart(UriPartial.Authority));
        Assert.DoesNotContain(options.SecretKey!, link.Address.ToString(), StringComparison.Ordinal);
    }

    /// <summary>As by two APIs that were asked in the same moment.</summary>
    [Fact]
    public async Task Complete_TwoUploadsOfOneObjectAreOpen_OneOfThemIsCompletedAndTheOtherNever()
    {
        var (uploads, store, one, two) = (await UploadsAsync(), await StoreAsync(), File(33), File(34));
        var (promised, other) = (Promise(33), Promise(34));
        var id = await BegunAsync(uploads, promised);
        var otherId = await InitiateBesideAsync(other);
        var etags = await SendAllAsync(uploads, promised.Key, id, one);
        var otherEtags = await SendAllAsync(uploads, promised.Key, otherId, two);

        await uploads.CompleteAsync(promised, id, etags, Cancellation);

        await Assert.ThrowsAsync<ArtifactExistsException>(() => uploads.CompleteAsync(other, otherId, otherEtags, Cancellation));
        await Assert.ThrowsAsync<UploadEndedException>(() => uploads.ListPartsAsync(promised.Key, otherId, Cancellation));
        Assert.Equal(promised.Sha256, (await store.StatAsync(promised.Key, Cancellation))!.Sha256);
    }

    [Fact]
    public async Task ListParts_MoreThanAPage_AreAll()
    {
        var (uploads, promised) = (await UploadsAsync(), Promise(35));
        var id = await BegunAsync(uploads, promised);
        var md5 = Md5([7]);
        await Parallel.ForEachAsync(
            Enumerable.Range(1, 1005),
            Cancellation,
            async (number, _) => Assert.NotNull(await TrySendAsync(uploads, promised.Key, id, number, [7], md5))
        );

        var parts = await uploads.ListPartsAsync(promised.Key, id, Cancellation);

        Assert.Equal(Enumerable.Range(1, 1005), parts.Select(part => part.Number));
    }

    public void Dispose()
    {
        _connections.ForEach(one => one.Dispose());
        _anybody.Dispose();
    }

    /// <summary>Another upload of the same object, which <see cref="IPartUploads.BeginAsync"/> would not begin.</summary>
    private async Task<string> InitiateBesideAsync(PromisedObject promised)
    {
        var options = S3Server.Options(o => o.Bucket = _bucket);
        var link = new S3Signature(options.AccessKey!, options.SecretKey!, options.Region).Presign(
            HttpMethod.Post,
            new Uri($"{options.Endpoint}/{_bucket}/{promised.Key}"),
            [new("uploads", "")],
            new Dictionary<string, string> { [S3ArtifactStore.ChecksumHeader] = promised.Sha256 },
            TimeProvider.System.GetUtcNow(),
            Hour
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, link);
        request.Headers.Add(S3ArtifactStore.ChecksumHeader, promised.Sha256);
        using var reply = await _anybody.SendAsync(request, Cancellation);
        return (await S3Answer.ReadAsync(reply, promised.Key, Cancellation)).Text("UploadId");
    }

    private async Task<HttpResponseMessage> PutAsync(PartTarget target, byte[] part)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, target.Address) { Content = new ByteArrayContent(part) };
        foreach (var (name, value) in target.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.Add(name, value);
            }
        }

        return await _anybody.SendAsync(request, Cancellation);
    }

    private static Uri Changed(Uri address, string from, string to)
    {
        Assert.Contains(from, address.AbsoluteUri, StringComparison.Ordinal);
        return new Uri(address.AbsoluteUri.Replace(from, to, StringComparison.Ordinal));
    }

    private S3Connection Connect()
    {
        _connections.Add(new S3Connection(S3Server.Options(o => o.Bucket = _bucket), TimeProvider.System));
        return _connections[^1];
    }

    private sealed class OtherTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
