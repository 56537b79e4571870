namespace RenderFarm.Artifacts.Tests;

public sealed class DirectoryPartUploadsTests : PartUploadsConformance, IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("renderfarm-artifacts-");
    private readonly List<DirectoryPartUploads> _uploads = [];

    protected override Task<IArtifactStore> StoreAsync() => Task.FromResult<IArtifactStore>(new DirectoryArtifactStore(_root.FullName));

    protected override Task<IPartUploads> UploadsAsync()
    {
        _uploads.Add(new DirectoryPartUploads(_root.FullName));
        return Task.FromResult<IPartUploads>(_uploads[^1]);
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
        var promised = new StoredPart(number, part.Length, Convert.ToHexStringLower(Convert.FromBase64String(md5)));
        try
        {
            using var content = new MemoryStream(part);
            return (await ((IPartReceiver)uploads).ReceiveAsync(key, id, promised, content, Cancellation)).Etag;
        }
        catch (ArtifactCorruptException)
        {
            return null;
        }
    }

    [Fact]
    public async Task Complete_PartsAreNotThePromisedFile_StoresNothingAndForgetsThem()
    {
        var (uploads, store, promised) = (await UploadsAsync(), await StoreAsync(), Promise(1));
        var id = await BegunAsync(uploads, promised);
        var etags = await SendAllAsync(uploads, promised.Key, id, File(2));

        var fault = await Assert.ThrowsAsync<ArtifactCorruptException>(() =>
            uploads.CompleteAsync(promised, id, etags, Cancellation)
        );

        Assert.Contains(promised.Sha256, fault.Message, StringComparison.Ordinal);
        Assert.Null(await store.StatAsync(promised.Key, Cancellation));
        Assert.Empty(await uploads.ListPartsAsync(promised.Key, id, Cancellation));
    }

    [Fact]
    public async Task Receive_ContentBreaksOff_KeepsNothingOfIt()
    {
        var (uploads, promised) = (await UploadsAsync(), Promise(3));
        var id = await BegunAsync(uploads, promised);
        var part = Part(File(3), 1);

        Assert.Null(await TrySendAsync(uploads, promised.Key, id, 1, part[..1000], Md5(part)));

        Assert.Empty(_root.EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }));
    }

    [Theory]
    [InlineData("../../../etc/passwd")]
    [InlineData("00000000000000000000000000000000.1")]
    [InlineData("")]
    public async Task AnyCall_IdThatIsNone_NamesNoUpload(string id)
    {
        var (uploads, promised) = (await UploadsAsync(), Promise(4));

        await Assert.ThrowsAsync<UploadEndedException>(() => TrySendAsync(uploads, promised.Key, id, 1, [1], Md5([1])));
        await Assert.ThrowsAsync<UploadEndedException>(() => uploads.CompleteAsync(promised, id, [id], Cancellation));
    }

    public void Dispose()
    {
        _uploads.ForEach(one => one.Dispose());
        _root.Delete(recursive: true);
    }
}
