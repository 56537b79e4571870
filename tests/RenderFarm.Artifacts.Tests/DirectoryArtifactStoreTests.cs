using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Artifacts.Tests;

public sealed class DirectoryArtifactStoreTests : ArtifactStoreConformance, IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("renderfarm-artifacts-");

    protected override async Task<IArtifactStore> StoreAsync()
    {
        var store = new DirectoryArtifactStore(_root.FullName);
        await store.EnsureReadyAsync(Cancellation);
        return store;
    }

    [Fact]
    public async Task PutFile_Anything_LeavesNoTemporaryFiles()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("x");

        await store.PutFileAsync(
            ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 1, "0a1b2c3d4e5f")),
            file.Path,
            "video/mp4",
            file.Sha256,
            Cancellation
        );
        await Assert.ThrowsAsync<ArtifactCorruptException>(() =>
            store.PutFileAsync(
                ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 2, "0a1b2c3d4e5f")),
                file.Path,
                "video/mp4",
                "wrong",
                Cancellation
            )
        );

        string[] names =
        [
            .. Directory
                .EnumerateFiles(_root.FullName, "*", SearchOption.AllDirectories)
                .Select(p => Path.GetFileName(p)!)
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal([".video.mp4.meta", "video.mp4"], names);
    }

    [Fact]
    public async Task RemoveUnfinished_WriterWasKilled_RemovesWhatItLeftAndNoObject()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("x");
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 1, "0a1b2c3d4e5f"));
        await store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation);
        var folder = Path.Combine(_root.FullName, ObjectKeys.Of(new LeaseName("job", 1, "0a1b2c3d4e5f")));
        foreach (var left in (string[])[".video.mp4.1234.tmp", ".video.mp4.1234.tmp.meta"])
        {
            await File.WriteAllTextAsync(Path.Combine(folder, left), "x", Cancellation);
        }

        DateTimeOffset now = File.GetLastWriteTimeUtc(Path.Combine(folder, "video.mp4"));
        Assert.Equal(0, await store.RemoveUnfinishedAsync(now.AddHours(-1), Cancellation));
        Assert.Equal(2, await store.RemoveUnfinishedAsync(now.AddHours(1), Cancellation));
        Assert.Equal(file.Sha256, (await store.StatAsync(key, Cancellation))?.Sha256);
    }

    [Fact]
    public async Task Delete_LastObjectOfAJob_RemovesItsFolders()
    {
        var store = await StoreAsync();
        using var file = SampleFile.Of("x");
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName("job", 1, "0a1b2c3d4e5f"));
        await store.PutFileAsync(key, file.Path, "video/mp4", file.Sha256, Cancellation);

        await store.DeleteAsync(key, Cancellation);

        Assert.Empty(_root.EnumerateFileSystemInfos());
        Assert.True(_root.Exists);
    }

    [Fact]
    public async Task PresignGet_Folder_HasNoLinks()
    {
        var store = await StoreAsync();

        Assert.Null(await store.PresignGetAsync("videos/job/1/video.mp4", TimeSpan.FromMinutes(1), LinkReach.Public, null, Cancellation));
    }

    public void Dispose() => _root.Delete(recursive: true);
}
