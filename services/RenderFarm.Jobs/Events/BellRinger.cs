using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Rings for jobs as they come in, off the path of the request. What it can't ring is left to <see cref="Maintenance.BellRelay"/>.
/// Which jobs were rung for is written down a moment later and together: a row that is being written to just when its
/// worker comes running is a row that the worker is not given.
/// </summary>
public sealed partial class BellRinger(
    JobAnnouncer announcer,
    IBell bell,
    JobDatabase database,
    JobSignal signal,
    TimeProvider time,
    ILogger<BellRinger> log
) : ILoop
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly ConcurrentQueue<(Announcement Job, long At)> _rung = new();

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

    /// <summary>True when the broker has confirmed the bell; <see cref="NoteRungAsync"/> has yet to write it down.</summary>
    internal async Task<bool> RingAsync(Announcement job, CancellationToken cancellationToken)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            await bell.RingAsync(job.JobId, job.VramClass, either.Token);
            _rung.Enqueue((job, time.GetTimestamp()));
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever a broker's client throws: the row stays unrung, and workers poll
            NotRung(job.JobId, e.Message);
            return false;
        }
    }

    /// <summary>Writes down for which of the waiting jobs the bell has rung. One that was taken meanwhile needs no note.</summary>
    /// <param name="ago">Only those for which it rang so long ago: whoever comes running is there by then.</param>
    internal async Task NoteRungAsync(TimeSpan ago, CancellationToken cancellationToken)
    {
        var rung = new List<Announcement>();
        while (_rung.TryPeek(out var next) && time.GetElapsedTime(next.At) >= ago && _rung.TryDequeue(out next))
        {
            rung.Add(next.Job);
        }

        if (rung.Count == 0)
        {
            return;
        }

        var (ids, now) = (rung.ConvertAll(job => job.JobId), time.GetUtcNow());
        var waiting = await database.WriteAsync(db => JobTransitions.NoteRungAsync(db, ids, now, cancellationToken), cancellationToken);
        // A poll that looked during the write may have been passed over
        if (waiting > 0)
        {
            foreach (var (model, vramClass) in rung.Select(job => (job.Model, job.VramClass)).Distinct())
            {
                signal.Raise(model, vramClass);
            }
        }
    }

    [LoggerMessage(EventId = 111, Level = LogLevel.Debug, Message = "The bell for {JobId} was not rung: {Cause}")]
    private partial void NotRung(string jobId, string cause);
}
