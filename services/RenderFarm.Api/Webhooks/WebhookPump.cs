using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using RenderFarm.Api.Events;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Webhooks;

/// <summary>
/// Takes what is due, as there is room for it (<see cref="DeliveryShares"/>), and has it posted, at least once each. Nothing waits for what
/// was taken with it: as one delivery ends, the next begins.
/// </summary>
internal sealed class WebhookPump(DeliveryStore deliveries, WebhookSender sender, EventFeed feed, TimeProvider time) : ILoop, IDisposable
{
    private readonly EventSignal _signal = new(feed, time);
    private readonly DeliveryShares _shares = new(time);
    private readonly ConcurrentDictionary<long, Task> _underWay = new();
    private volatile Exception? _fault;

    public string Name => "webhook_pump";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await BeginDueAsync(cancellationToken);
                if (Interlocked.Exchange(ref _fault, null) is { } fault)
                {
                    ExceptionDispatchInfo.Throw(fault);
                }

                standing.Well();
                await _signal.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            // Where the loop only begins anew they go on beside it
            if (cancellationToken.IsCancellationRequested)
            {
                await Task.WhenAll(_underWay.Values);
            }
        }
    }

    public void Dispose() => _signal.Dispose();

    private async Task BeginDueAsync(CancellationToken cancellationToken)
    {
        var room = _shares.Take(await deliveries.DueLanesAsync(cancellationToken));
        if (room.Count == 0)
        {
            return;
        }

        var left = room.ToDictionary(one => one.Lane, one => one.Most);
        try
        {
            foreach (var due in await deliveries.TakeDueAsync(room, cancellationToken))
            {
                left[due.Delivery.Lane]--;
                Begin(due, cancellationToken);
            }
        }
        finally
        {
            foreach (var (lane, count) in left)
            {
                _shares.GiveBack(lane, count);
            }
        }
    }

    private void Begin(DueDelivery due, CancellationToken cancellationToken)
    {
        var listed = new TaskCompletionSource();
        _underWay[due.Delivery.EventId] = Task.Run(
            async () =>
            {
                await listed.Task;
                await DeliverAsync(due, cancellationToken);
                _underWay.TryRemove(due.Delivery.EventId, out _);
                _signal.Wake();
            },
            CancellationToken.None
        );
        listed.SetResult();
    }

    /// <summary>What could not be noted is posted again when its hold is over.</summary>
    private async Task DeliverAsync(DueDelivery due, CancellationToken cancellationToken)
    {
        var isAnswered = true;
        try
        {
            isAnswered = await sender.DeliverAsync(due, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The next life posts it
        }
        catch (Exception fault)
        {
            _fault = fault;
        }
        finally
        {
            _shares.Ended(due.Delivery.Lane, isAnswered);
        }
    }
}
