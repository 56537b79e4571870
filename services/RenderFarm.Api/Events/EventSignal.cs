using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Events;

/// <summary>
/// Wakes a loop that works through the log of events: at once when this process hears of one, and every second besides, for what
/// another process wrote or left.
/// </summary>
internal sealed class EventSignal : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly EventFeed _feed;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _happened = new(0);

    public EventSignal(EventFeed feed, TimeProvider time)
    {
        (_feed, _time) = (feed, time);
        feed.Happened += Release;
    }

    /// <summary>Several events since the last time are one wake.</summary>
    /// <exception cref="OperationCanceledException">By the token alone.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(LookEvery, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _happened.WaitAsync(either.Token);
            while (_happened.Wait(0, CancellationToken.None)) { }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { }
    }

    /// <summary>There may be something to do, for another reason than an event.</summary>
    public void Wake() => _happened.Release();

    public void Dispose()
    {
        _feed.Happened -= Release;
        _happened.Dispose();
    }

    private void Release(IReadOnlyList<JobEvent> events) => _happened.Release();
}
