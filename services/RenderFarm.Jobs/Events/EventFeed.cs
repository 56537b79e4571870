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

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        database.EventsWritten += Wake;
        try
        {
            long? read = null;
            while (!cancellationToken.IsCancellationRequested)
            {
                try
                {
                    read ??= await log.EndAsync(cancellationToken);
                    read = await PassAsync(read.Value, cancellationToken);
                }
                catch (StoreUnavailableException e)
                {
                    Unavailable(e.InnerException?.Message ?? e.Message);
                }
                if (await WokenAsync(cancellationToken))
                {
                    await LoopPause.ForAsync(Gather, time, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        finally
        {
            database.EventsWritten -= Wake;
        }
    }

    private async Task<long> PassAsync(long read, CancellationToken cancellationToken)
    {
        while (await log.PlaceAsync(cancellationToken) == EventLog.Batch) { }
        while (await log.AfterAsync(read, cancellationToken) is { Count: > 0 } news)
        {
            read = news[^1].Position;
            Happened?.Invoke(news);
        }
        return read;
    }

    private async Task<bool> WokenAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(LookEvery, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await _wakes.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    [LoggerMessage(EventId = 121, Level = LogLevel.Warning, Message = "The log of events waits for the job store: {Cause}")]
    private partial void Unavailable(string cause);
}
