using System.Threading.Channels;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Follows the log of events and tells this process of what is new in it. A commit here and a word from the broker wake
/// it at once; without either it looks every second.
/// </summary>
public sealed class EventFeed(EventLog log, JobDatabase database, TimeProvider time) : ILoop
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>Events come in bursts; one pass for a burst costs the store one commit.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    private long? _read;

    /// <summary>New events in their order. Handlers return at once; who may have missed some reads the log.</summary>
    public event Action<IReadOnlyList<JobEvent>>? Happened;

    /// <summary>There may be something new.</summary>
    public void Wake() => _wakes.Writer.TryWrite(true);

    public string Name => "event_feed";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        database.EventsWritten += Wake;
        try
        {
            while (true)
            {
                await PassAsync(cancellationToken);
                standing.Well();
                if (await WokenAsync(cancellationToken))
                {
                    await Task.Delay(Gather, time, cancellationToken);
                }
            }
        }
        finally
        {
            database.EventsWritten -= Wake;
        }
    }

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        // Kept from one beginning to the next: what happened while this could not look is told afterwards
        _read ??= await log.EndAsync(cancellationToken);
        while (await log.PlaceAsync(cancellationToken) == EventLog.Batch) { }
        while (await log.AfterAsync(_read.Value, cancellationToken) is { Count: > 0 } news)
        {
            _read = news[^1].Position;
            Happened?.Invoke(news);
        }
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
}
