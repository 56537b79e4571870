using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Tests.Hosting;

public sealed class WorkerDrainTests
{
    /// <summary>What runs for a signal is not waited for by whoever ends the process, and would end it with a fault.</summary>
    [Fact]
    public void Request_WhenTheProcessIsEnding_IsNoFault()
    {
        var drain = new WorkerDrain(Options.Create(new WorkerOptions()), TimeProvider.System, NullLogger<WorkerDrain>.Instance);
        drain.Dispose();

        drain.Request();
        drain.Request();

        Assert.True(drain.IsDraining);
    }
}
