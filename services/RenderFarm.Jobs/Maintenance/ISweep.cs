using Microsoft.Extensions.Logging;
using RenderFarm.Artifacts;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>A background duty as a single pass that can be called and counted.</summary>
public interface ISweep
{
    TimeSpan Every { get; }

    /// <summary>One pass; how many rows it acted on.</summary>
    Task<int> RunOnceAsync(CancellationToken cancellationToken);
}

/// <summary>The thin loop around a sweep.</summary>
public sealed partial class SweepLoop(ISweep sweep, TimeProvider time, ILogger<SweepLoop> log) : IJobsLoop
{
    public async Task RunAsync(CancellationToken stop)
    {
        var name = sweep.GetType().Name;
        do
        {
            try
            {
                var count = await sweep.RunOnceAsync(stop);
                if (count > 0)
                {
                    Swept(name, count);
                }
            }
            catch (Exception e) when (e is StoreUnavailableException or ArtifactStoreException)
            {
                Unavailable(name, e.InnerException?.Message ?? e.Message);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        } while (await Loops.PauseAsync(sweep.Every, time, stop));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Sweep}: {Count}")]
    private partial void Swept(string sweep, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sweep} waits for its store: {Cause}")]
    private partial void Unavailable(string sweep, string cause);
}
