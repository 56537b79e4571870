using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Hosting.Folders;
using RenderFarm.Rendering.Loading;
using RenderFarm.Testing;

namespace RenderFarm.Rendering.Tests.Loading;

public sealed class CacheRoomTests : IDisposable
{
    private const int Size = 100;
    private readonly TemporaryFolder _cache = new();
    private readonly string _oldest;
    private readonly string _newest;

    public CacheRoomTests()
    {
        (_oldest, _newest) = (Blocks("a", daysAgo: 2), Blocks("b", daysAgo: 1));
    }

    public void Dispose() => _cache.Dispose();

    [Fact]
    public void Make_FullFileSystem_TheOldestGoesUntilThereIsRoom()
    {
        // A file system of 250 bytes
        CacheRoom.Make(_cache.File("c"), 150, limitBytes: 1_000, DiskOf(250));

        Assert.False(File.Exists(_oldest));
        Assert.True(File.Exists(_newest));
    }

    [Fact]
    public void Make_RoomForAll_NothingGoes()
    {
        CacheRoom.Make(_cache.File("c"), 150, limitBytes: 1_000, DiskOf(350));

        Assert.True(File.Exists(_oldest) && File.Exists(_newest));
    }

    [Fact]
    public void Make_OverTheLimit_TheOldestGoes()
    {
        CacheRoom.Make(_cache.File("c"), 100, limitBytes: 200, DiskOf(1_000));

        Assert.False(File.Exists(_oldest));
        Assert.True(File.Exists(_newest));
    }

    [Fact]
    public void Make_MoreThanIsAllowedAtAll_SaysHowMuchMemoryWasMissing()
    {
        var fault = Assert.Throws<RenderException>(() => CacheRoom.Make(_cache.File("c"), 300, limitBytes: 200, DiskOf(1_000)));

        Assert.Equal(FailureReason.HostOutOfMemory, fault.Reason);
        Assert.Equal(300, fault.RequestedBytes);
        Assert.Equal(200, fault.FreeBytes);
    }

    private FreeSpace DiskOf(long bytes) =>
        new(_ =>
        {
            var used = Directory.EnumerateFiles(_cache.Path, "*" + WeightCacheFiles.Blocks, SearchOption.AllDirectories).Count() * Size;
            return new DiskRoom(bytes - used, bytes);
        });

    private string Blocks(string model, int daysAgo)
    {
        var folder = Directory.CreateDirectory(_cache.File(model)).FullName;
        var path = Path.Combine(folder, "key" + WeightCacheFiles.Blocks);
        File.WriteAllBytes(path, new byte[Size]);
        File.WriteAllBytes(WeightCacheFiles.LockPath(path), []);
        File.SetLastWriteTimeUtc(WeightCacheFiles.LockPath(path), TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-daysAgo));
        return path;
    }
}
