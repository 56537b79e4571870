using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Hosting;

/// <summary>What goes on beside the slots, until the drain.</summary>
internal sealed class WorkerLoops(IEnumerable<ILoop> loops, LoopSupervisor supervisor, WorkerDrain drain)
{
    public Task RunAsync() => supervisor.RunAsync(loops, drain.Draining);
}
