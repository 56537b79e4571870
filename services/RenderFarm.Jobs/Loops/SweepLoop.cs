using Microsoft.Extensions.Logging;
using RenderFarm.Artifacts;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Loops;

/// <summary>The thin loop around a sweep.</summary>
public sealed partial class SweepLoop(ISweep sweep, TimeProvider time, ILogger<SweepLoop> log) : IJobsLoop
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var name = sweep.GetType().Name;
        do
        {
            try
            {
                var count = await sweep.RunOnceAsync(cancellationToken);
                if (count > 0)
                {
                    Swept(name, count);
                }
            }
            catch (Exception e) when (e is StoreUnavailableException or ArtifactStoreException)
            {
                Unavailable(name, e.InnerException?.Message ?? e.Message);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        } while (await LoopPause.ForAsync(sweep.Every, time, cancellationToken));
    }

    [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "{Sweep}: {Count}")]
    private partial void Swept(string sweep, int count);

    [LoggerMessage(EventId = 102, Level = LogLevel.Warning, Message = "{Sweep} waits for its store: {Cause}")]
    private partial void Unavailable(string sweep, string cause);
}
