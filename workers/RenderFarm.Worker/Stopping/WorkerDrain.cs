using Microsoft.Extensions.Options;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Stopping;

/// <summary>
/// How this worker stops. First request: no new lease, jobs may finish within the grace time. Second request, or the
/// end of the grace time: what still runs is handed back now.
/// </summary>
internal sealed class WorkerDrain(IOptions<WorkerOptions> options, TimeProvider time, ILogger<WorkerDrain> log) : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _handBack = new();
    private ITimer? _grace;

    /// <summary>The API has been told to give this worker no jobs, until it is told otherwise; nothing stops.</summary>
    public bool OrderedByFarm { get; set; }

    public bool IsDraining => OrderedByFarm || Draining.IsCancellationRequested;

    /// <summary>Take no new job.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Give back what is not finished.</summary>
    public CancellationToken HandBack => _handBack.Token;

    public void Request()
    {
        if (_draining.IsCancellationRequested)
        {
            log.HandingBack();
            _handBack.Cancel();
            return;
        }

        var grace = TimeSpan.FromSeconds(options.Value.DrainGraceSeconds);
        log.Draining(grace.TotalSeconds);
        _grace = time.CreateTimer(_ => _handBack.Cancel(), null, grace, Timeout.InfiniteTimeSpan);
        _draining.Cancel();
    }

    /// <summary>
    /// The sources stay as they are: a signal may still come while the process ends, and they hold nothing that has to be given
    /// back.
    /// </summary>
    public void Dispose() => _grace?.Dispose();
}
