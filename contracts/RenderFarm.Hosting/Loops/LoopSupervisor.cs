using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using RenderFarm.Hosting.Metrics;
using Instrument = RenderFarm.Hosting.Metrics.Instrument;

namespace RenderFarm.Hosting.Loops;

/// <summary>
/// Keeps every loop of the process going: what falls out of one is told with its name, waited over with growing pauses, and it is begun
/// again. No fault of a loop ends the process, for it would take all the others with it.
/// </summary>
public sealed partial class LoopSupervisor
{
    /// <summary>A loop that fails on and on for one reason is told of again after this long.</summary>
    private static readonly TimeSpan TellAgainAfter = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly ILogger<LoopSupervisor> _log;
    private readonly Lock _gate = new();
    private readonly List<LoopStanding> _standings = [];

    /// <param name="meter">Shows <paramref name="degraded"/>: 1 for each loop that fails, else 0.</param>
    public LoopSupervisor(Meter meter, Instrument degraded, TimeProvider time, ILogger<LoopSupervisor> log)
    {
        (_time, _log) = (time, log);
        meter.Observe(
            degraded,
            () =>
                Standings.Select(loop => new Measurement<int>(
                    loop.Degraded is null ? 0 : 1,
                    new KeyValuePair<string, object?>("loop", loop.Name)
                ))
        );
    }

    public IReadOnlyList<DegradedLoop> Degraded => [.. Standings.Select(loop => loop.Degraded).OfType<DegradedLoop>()];

    private IReadOnlyList<LoopStanding> Standings
    {
        get
        {
            lock (_gate)
            {
                return [.. _standings];
            }
        }
    }

    /// <summary>Until all of them have ended, which the token brings about.</summary>
    /// <exception cref="InvalidOperationException">Two loops have one name.</exception>
    public async Task RunAsync(IEnumerable<ILoop> loops, CancellationToken cancellationToken)
    {
        List<(ILoop Loop, LoopStanding Standing)> begun = [];
        lock (_gate)
        {
            foreach (var loop in loops)
            {
                if (_standings.Exists(known => known.Name == loop.Name))
                {
                    throw new InvalidOperationException(
                        $"Two loops are called '{loop.Name}': health and figures could not tell them apart."
                    );
                }

                var standing = new LoopStanding(loop.Name, loop.LongestPause, _time, Recovered);
                _standings.Add(standing);
                begun.Add((loop, standing));
            }
        }

        // One that does not give way before its first await must not keep the others from beginning
        await Task.WhenAll(
            begun.Select(one => Task.Run(() => KeepAsync(one.Loop, one.Standing, cancellationToken), CancellationToken.None))
        );
    }

    private async Task KeepAsync(ILoop loop, LoopStanding standing, CancellationToken cancellationToken)
    {
        long? told = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await loop.RunAsync(standing, cancellationToken);
                standing.Well();
                return;
            }
            catch (Exception fault)
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    if (fault is not OperationCanceledException)
                    {
                        LogEndedBadly(fault, loop.Name);
                    }

                    return;
                }

                var (pause, isNews) = standing.Failed(fault);
                if (isNews || told is not { } at || _time.GetElapsedTime(at) >= TellAgainAfter)
                {
                    Tell(fault, loop.Name, pause);
                    told = _time.GetTimestamp();
                }

                await PauseAsync(pause, cancellationToken);
            }
        }
    }

    private void Tell(Exception fault, string loop, TimeSpan pause)
    {
        if (fault is IOutage outage)
        {
            LogAway(loop, pause.TotalSeconds, outage.Cause);
        }
        else
        {
            LogFailed(fault, loop, pause.TotalSeconds);
        }
    }

    private void Recovered(DegradedLoop was) => LogWell(was.Loop, (_time.GetUtcNow() - was.Since).TotalSeconds);

    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(pause, _time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The loop's own condition ends it
        }
    }

    [LoggerMessage(EventId = 11, Level = LogLevel.Error, Message = "Loop {Loop} has failed and is begun again in {Seconds:0.0} s")]
    private partial void LogFailed(Exception fault, string loop, double seconds);

    [LoggerMessage(EventId = 12, Level = LogLevel.Warning, Message = "Loop {Loop} can't go on and tries again in {Seconds:0.0} s: {Cause}")]
    private partial void LogAway(string loop, double seconds, string cause);

    [LoggerMessage(EventId = 13, Level = LogLevel.Information, Message = "Loop {Loop} is well again after {Seconds:0} s")]
    private partial void LogWell(string loop, double seconds);

    [LoggerMessage(EventId = 14, Level = LogLevel.Warning, Message = "Loop {Loop} has failed while it was told to stop")]
    private partial void LogEndedBadly(Exception fault, string loop);
}
