using RenderFarm.Hosting.Folders;
using RenderFarm.Testing.Cards;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.WeightCache;

/// <summary>Shared memory as small as a container's: prepared weights go into files.</summary>
public sealed class WeightFilesTests
{
    private const long GiB = 1L << 30;
    private const string LeaveWeights = """
        cache=$(field weight_cache); mkdir -p "$cache"; : > "$cache/key.blocks"; : > "$cache/key.blocks.complete"
        """;

    [Theory]
    [InlineData(0, "worker/weights")]
    [InlineData(100 * GiB, "weights")]
    public async Task Run_RoomInSharedMemory_DecidesWhereWeightsAreKept(long room, string folder)
    {
        using var driver = await FakeDriver.WithAsync(new FakeCard("GPU-1", "NVIDIA_Test", 24 * GiB, 1 * GiB));
        await using var worker = await WorkerUnderTest.CreateAsync(LeaveWeights + "\n" + StubRenderer.Good);
        worker.Set("Worker:Slots", "auto");
        worker.Set("Worker:NvmlPath", driver.Path);
        var shared = worker.Settings["Worker:WeightCacheDirectory"]!;
        worker.Disks = new FreeSpace(asked => asked == shared ? new DiskRoom(room, room) : new DiskRoom(500 * GiB, 500 * GiB));
        await worker.StartAsync();

        await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec));

        Assert.True(File.Exists(Path.Combine(worker.Folder, folder, "tiny", "key.blocks")), $"weights lie in {folder}");
    }
}
