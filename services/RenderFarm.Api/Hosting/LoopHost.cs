using RenderFarm.Hosting.Loops;

namespace RenderFarm.Api.Hosting;

/// <summary>
/// The one background service: it runs every loop beside the requests, under the supervisor, once the store is prepared. A loop that can't
/// even be made ends the process, at its start.
/// </summary>
internal sealed class LoopHost(IEnumerable<ILoop> loops, LoopSupervisor supervisor, Readiness readiness) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (await readiness.WaitAsync(stoppingToken))
        {
            await supervisor.RunAsync(loops, stoppingToken);
        }
    }
}
