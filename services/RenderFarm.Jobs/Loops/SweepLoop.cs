using Microsoft.Extensions.Logging;
using RenderFarm.Hosting.Loops;

namespace RenderFarm.Jobs.Loops;

/// <summary>The thin loop around a sweep.</summary>
public sealed partial class SweepLoop(ISweep sweep, TimeProvider time, ILogger<SweepLoop> log) : ILoop
{
    private static readonly TimeSpan ShortestCeiling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestCeiling = TimeSpan.FromMinutes(5);

    public string Name => sweep.Name;

    /// <summary>What runs every hour need not knock every few seconds.</summary>
    public TimeSpan LongestPause =>
        sweep.Every < ShortestCeiling ? ShortestCeiling
        : sweep.Every > LongestCeiling ? LongestCeiling
        : sweep.Every;

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        while (true)
        {
            var count = await sweep.RunOnceAsync(cancellationToken);
            standing.Well();
            if (count > 0)
            {
                Swept(Name, count);
            }

            await Task.Delay(sweep.Every, time, cancellationToken);
        }
    }

    [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "{Sweep}: {Count}")]
    private partial void Swept(string sweep, int count);
}
