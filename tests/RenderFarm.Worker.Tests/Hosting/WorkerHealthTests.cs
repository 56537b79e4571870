using RenderFarm.Worker.Hosting;

namespace RenderFarm.Worker.Tests.Hosting;

public sealed class WorkerHealthTests
{
    /// <summary>Whoever starts a worker and waits for it prints this when it never gets ready.</summary>
    [Theory]
    [InlineData(null, false, null, "not registered with the farm yet")]
    [InlineData("worker_1", true, null, "draining")]
    [InlineData("worker_1", false, "12 MB free", "12 MB free")]
    [InlineData("worker_1", false, null, null)]
    public void WhyNotReady_SaysWhatIsInTheWay(string? id, bool draining, string? closedBecause, string? why) =>
        Assert.Equal(
            why,
            WorkerHealthEndpoints.WhyNotReady(
                new WorkerHealth
                {
                    Name = "w",
                    WorkerId = id,
                    Draining = draining,
                    ClosedBecause = closedBecause,
                    Slots = [],
                    CardMissed = null,
                    Models = [],
                    SpoolEntries = 0,
                    SpoolBytes = 0,
                    Degraded = [],
                }
            )
        );
}
