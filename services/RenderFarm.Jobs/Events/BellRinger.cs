using Microsoft.Extensions.Logging;
using RenderFarm.Hosting.Loops;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Rings for jobs as they come in, off the path of the request. What it can't ring is left to <see cref="Maintenance.BellRelay"/>.
/// For which jobs it rang is in this process's memory and nowhere in their rows: a row that is written to just when its worker
/// comes running is a row that the worker is not given.
/// </summary>
public sealed partial class BellRinger(JobAnnouncer announcer, IBell bell, TimeProvider time, ILogger<BellRinger> log) : ILoop
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly RungBells _rung = new(time);

    public string Name => "bell_ringer";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        standing.Well();
        await foreach (var job in announcer.Bells.ReadAllAsync(cancellationToken))
        {
            await RingAsync(job, cancellationToken);
            standing.Well();
        }
    }

    /// <summary>True when the broker has confirmed the bell.</summary>
    internal async Task<bool> RingAsync(Announcement job, CancellationToken cancellationToken)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            await bell.RingAsync(job.JobId, job.VramClass, either.Token);
            _rung.Note(job);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever a broker's client throws: the job counts as unrung, and workers poll
            NotRung(job.JobId, e.Message);
            return false;
        }
    }

    /// <summary>Whether this process rang for the job since it came to wait, not longer ago than that.</summary>
    internal bool HasRung(Announcement job, TimeSpan within) => _rung.Holds(job, within);

    [LoggerMessage(EventId = 111, Level = LogLevel.Debug, Message = "The bell for {JobId} was not rung: {Cause}")]
    private partial void NotRung(string jobId, string cause);
}
