using RenderFarm.Hosting.Folders;
using RenderFarm.Testing;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Polling;

public sealed class SlotAdmissionTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    /// <summary>Nobody counts on a slot whose host takes no jobs, and operators read why; its end is told too.</summary>
    [Fact]
    public async Task Admits_HostWithoutRoom_TellsTheFarmSo_AndThatItIsOver()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var free = 499_000_000L;
        worker.Set("Worker:MinimumFreeDiskMegabytes", "500");
        worker.Disks = new FreeSpace(_ => new DiskRoom(Volatile.Read(ref free), long.MaxValue));
        await worker.StartAsync();

        await ToldAsync(why => why?.Contains("less than the 500 MB of Worker:MinimumFreeDiskMegabytes", StringComparison.Ordinal) == true);
        var told = worker.Desk.Registrations.Last().Slots.Single();
        Assert.NotNull(told.QuarantinedAt);
        Assert.Empty(worker.Desk.Requests);

        Volatile.Write(ref free, 501_000_000);

        await ToldAsync(why => why is null);
        Assert.Null(worker.Desk.Registrations.Last().Slots.Single().QuarantinedAt);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.Desk.CompletedAsync(job);

        Task ToldAsync(Func<string?, bool> isSo) =>
            Eventually.TrueAsync(
                () => Task.FromResult(worker.Desk.Registrations.LastOrDefault()?.Slots.All(slot => isSo(slot.Quarantine)) == true),
                Soon,
                "a registration with what is so now",
                TestContext.Current.CancellationToken
            );
    }
}
