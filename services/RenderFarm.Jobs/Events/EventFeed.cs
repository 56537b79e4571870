using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Follows the log of events and tells this process of what is new in it. A commit here and a word from the broker wake
/// it at once; without either it looks every second.
/// </summary>
public sealed partial class EventFeed(EventLog log, JobDatabase database, TimeProvider time, ILogger<EventFeed> logger) : IJobsLoop
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>Events come in bursts; one pass for a burst costs the store one commit.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <summary>New events in their order. Handlers return at once; who may have missed some reads the log.</summary>
    public event Action<IReadOnlyList<JobEvent>>? Happened;

    /// <summary>There may be something new.</summary>
    public void Wake() => _wakes.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken stop)
    {
        database.EventsWritten += Wake;
        try
        {
            long? read = null;
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    read ??= await log.EndAsync(stop);
                    read = await PassAsync(read.Value, stop);
                }
                catch (StoreUnavailableException e)
                {
                    Unavailable(e.InnerException?.Message ?? e.Message);
                }
                if (await WokenAsync(stop))
                {
                    await LoopPause.ForAsync(Gather, time, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { }
        finally
        {
            database.EventsWritten -= Wake;
        }
    }

    private async Task<long> PassAsync(long read, CancellationToken stop)
    {
        while (await log.PlaceAsync(stop) == EventLog.Batch) { }
        while (await log.AfterAsync(read, stop) is { Count: > 0 } news)
        {
            read = news[^1].Position;
            Happened?.Invoke(news);
        }
        return read;
    }

    private async Task<bool> WokenAsync(CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(LookEvery, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            return await _wakes.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    [LoggerMessage(EventId = 121, Level = LogLevel.Warning, Message = "The log of events waits for the job store: {Cause}")]
    private partial void Unavailable(string cause);
}
