using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>Rings for jobs as they come in, off the path of the request. What it can't ring is left to <see cref="BellRelay"/>.</summary>
public sealed partial class BellRinger(JobAnnouncer announcer, IBell bell, JobDatabase database, TimeProvider time, ILogger<BellRinger> log) : IJobsLoop
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var job in announcer.Bells.ReadAllAsync(stop)) await RingAsync(job.JobId, job.VramClass, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>True when the broker has confirmed the bell and the row says so.</summary>
    internal async Task<bool> RingAsync(string jobId, int vramClass, CancellationToken stop)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
            await bell.RingAsync(jobId, vramClass, either.Token);
            var now = time.GetUtcNow();
            await database.WriteAsync(db => db.Jobs.Where(j => j.Id == jobId && j.State == Contracts.Videos.JobState.Queued)
                .ExecuteUpdateAsync(set => set.SetProperty(j => j.RungAt, now), stop), stop);
            return true;
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // whatever a broker's client throws: the row stays unrung, and workers poll
            NotRung(jobId, e.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The bell for {JobId} was not rung: {Cause}")]
    private partial void NotRung(string jobId, string cause);
}
