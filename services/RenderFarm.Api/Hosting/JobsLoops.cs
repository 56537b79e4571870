using RenderFarm.Jobs.Loops;

namespace RenderFarm.Api.Hosting;

/// <summary>
/// Runs the job store's loops (reaper, bell relay, expiry, signals) beside the API, once the store is prepared. One that breaks
/// stops the process: a farm without a reaper loses jobs quietly.
/// </summary>
internal sealed partial class JobsLoops(IEnumerable<IJobsLoop> loops, Readiness readiness, ILogger<JobsLoops> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await readiness.WaitAsync(stoppingToken))
        {
            return;
        }

        var running = loops.ToDictionary(
            loop => Task.Run(() => loop.RunAsync(stoppingToken), CancellationToken.None),
            loop => loop.GetType().Name
        );
        await foreach (var ended in Task.WhenEach(running.Keys))
        {
            if (ended.Exception is { } broken && !stoppingToken.IsCancellationRequested)
            {
                LogBroken(broken, running[ended]);
                await ended;
            }
        }
    }

    [LoggerMessage(EventId = 101, Level = LogLevel.Critical, Message = "{Loop} has broken; the API stops")]
    private partial void LogBroken(Exception exception, string loop);
}
