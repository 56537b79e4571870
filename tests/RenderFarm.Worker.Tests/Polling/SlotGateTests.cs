using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Polling;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Polling;

public sealed class SlotGateTests
{
    [Theory]
    [InlineData(499_000_000, "has 499 MB free, less than the 500 MB of Worker:MinimumFreeDiskMegabytes")]
    [InlineData(500_000_000, null)]
    public async Task WhyClosed_RoomOnTheDisk_IsHeldAgainstTheSetting(long free, string? why)
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        worker.Set("Worker:MinimumFreeDiskMegabytes", "500");
        worker.Disks = new FreeSpace(_ => new DiskRoom(free, long.MaxValue));
        await worker.StartAsync();

        var closed = worker.Services.GetRequiredService<SlotGate>().WhyClosed();

        if (why is null)
        {
            Assert.Null(closed);
        }
        else
        {
            Assert.Contains(why, closed, StringComparison.Ordinal);
        }
    }
}
