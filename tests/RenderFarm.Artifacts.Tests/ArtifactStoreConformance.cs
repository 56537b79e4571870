using System.Security.Cryptography;
using System.Text;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Artifacts.Tests;

/// <summary>What every artifact store promises; each store runs all of it.</summary>
public abstract class ArtifactStoreConformance
{
    private readonly string _job = "video_" + Guid.NewGuid().ToString("n");

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract Task<IArtifactStore> StoreAsync();

    [Fact]
    public async Task PutFile_ThenStat_ReturnsSizeTypeAndChecksum()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("forty-two bytes, or thereabouts, of video");
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 7, "0a1b2c3d4e5f"));

        var put = await store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation);
        var stat = await store.StatAsync(key, Cancellation);

        Assert.NotNull(stat);
        Assert.Equal((key, file.Bytes.LongLength, "video/mp4", file.Sha256), (stat.Key, stat.SizeBytes, stat.ContentType, stat.Sha256));
        Assert.Equal((put.SizeBytes, put.Sha256), (stat.SizeBytes, stat.Sha256));
        Assert.True(stat.LastModified > DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public async Task PutFile_ContentDiffersFromPromise_StoresNothing()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("these bytes");
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 1, "0a1b2c3d4e5f"));

        await Assert.ThrowsAsync<ArtifactCorruptException>(() =>
            store.PutFileAsync(key, file.Path, "video/mp4", new string('0', 64), Cancellation)
        );

        Assert.Null(await store.StatAsync(key, Cancellation));
    }

    [Fact]
    public async Task PutFile_SameContentTwice_IsHarmless()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("again and again");
        var key = ObjectKeys.For(ArtifactKind.Thumbnail, new LeaseName(_job, 2, "0a1b2c3d4e5f"));

        await store.PutFileAsync(key, file.Path, "image/webp", file.Sha256, Cancellation);
        await store.PutFileAsync(key, file.Path, "image/webp", file.Sha256, Cancellation);

        Assert.Equal(file.Bytes, await ReadAsync(store, key, null));
    }

    [Fact]
    public async Task PutFile_AboveOnePart_ComesBackWhole()
    {
        var store = await StoreAsync();
        var bytes = new byte[(16 << 20) + 12_345];
        new Random(5).NextBytes(bytes);
        using var file = new SampleFile(bytes);
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 3, "0a1b2c3d4e5f"));

        var put = await store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation);

        Assert.Equal((bytes.LongLength, file.Sha256), (put.SizeBytes, put.Sha256));
        await using var content = await store.OpenReadAsync(key, null, Cancellation);
        Assert.Equal(file.Sha256, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, Cancellation)));
    }

    [Theory]
    [InlineData(0L, 0L, "0")]
    [InlineData(2L, 5L, "2345")]
    [InlineData(7L, null, "789")]
    [InlineData(8L, 400L, "89")]
    [InlineData(10L, null, "")]
    public async Task OpenRead_WithRange_ReturnsThoseBytes(long first, long? last, string expected)
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("0123456789");
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 4, "0a1b2c3d4e5f"));
        await store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation);

        var part = await ReadAsync(store, key, new ByteRange(first, last));

        Assert.Equal(expected, Encoding.ASCII.GetString(part));
    }

    [Fact]
    public async Task OpenRead_MissingObject_SaysNotFound()
    {
        var store = await StoreAsync();

        var fault = await Assert.ThrowsAsync<ArtifactNotFoundException>(() =>
            store.OpenReadAsync(ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 99, "0a1b2c3d4e5f")), null, Cancellation)
        );

        Assert.Contains(_job, fault.Message, StringComparison.Ordinal);
        Assert.False(fault.IsTransient);
        Assert.Null(await store.StatAsync(ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 99, "0a1b2c3d4e5f")), Cancellation));
    }

    [Fact]
    public async Task Delete_ObjectThenAgain_LeavesNothing()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("short life");
        var key = ObjectKeys.Input(_job, "input_reference");
        await store.PutFileAsync(key, file.Path, "image/png", file.Sha256, Cancellation);

        await store.DeleteAsync(key, Cancellation);
        await store.DeleteAsync(key, Cancellation);

        Assert.Null(await store.StatAsync(key, Cancellation));
        Assert.Empty(await ListAsync(store, ObjectKeys.InputsOf(_job)));
    }

    [Fact]
    public async Task List_Prefix_FindsEveryFenceOfTheJobAndNoOther()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("x");
        string[] mine =
        [
            ObjectKeys.For(ArtifactKind.Thumbnail, new LeaseName(_job, 5, "0a1b2c3d4e5f")),
            ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 5, "0a1b2c3d4e5f")),
            ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job, 6, "0a1b2c3d4e5f")),
        ];
        foreach (var key in mine)
        {
            await store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation);
        }

        await store.PutFileAsync(
            ObjectKeys.For(ArtifactKind.Video, new LeaseName(_job + "x", 5, "0a1b2c3d4e5f")),
            file.Path,
            "video/mp4",
            file.Sha256,
            Cancellation
        );

        var found = await ListAsync(store, $"{ObjectKeys.Videos}{_job}/");

        Assert.Equal(mine, found.Select(o => o.Key));
        Assert.All(found, o => Assert.Equal(1, o.SizeBytes));
        Assert.Equal(mine[..2], (await ListAsync(store, ObjectKeys.Of(new LeaseName(_job, 5, "0a1b2c3d4e5f")))).Select(o => o.Key));
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("videos/../../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("videos//x")]
    [InlineData("videos/.hidden")]
    public async Task AnyCall_KeyThatIsNoPlainPath_IsRefused(string key)
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("x");

        await Assert.ThrowsAsync<ArgumentException>(() => store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => store.OpenReadAsync(key, null, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => store.DeleteAsync(key, Cancellation));
    }

    protected static async Task<byte[]> ReadAsync(IArtifactStore store, string key, ByteRange? range)
    {
        await using var content = await store.OpenReadAsync(key, range, Cancellation);
        using var all = new MemoryStream();
        await content.CopyToAsync(all, Cancellation);
        return all.ToArray();
    }

    private static async Task<List<StoredObject>> ListAsync(IArtifactStore store, string prefix)
    {
        List<StoredObject> all = [];
        await foreach (var o in store.ListAsync(prefix, Cancellation))
        {
            all.Add(o);
        }

        return all;
    }
}
