using MassTransit;
using RenderFarm.Broker;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Planning;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Bells;

/// <summary>
/// Hears bells of every VRAM class this worker can run, and cancellations on its control queue. A bell is put down
/// (acknowledged) at once: the lease holds the work, not the message. Nothing waits for the broker; without it the long
/// poll brings work and renewals bring cancellations.
/// </summary>
/// <param name="bus">Null where <c>Bus:Kind</c> names none.</param>
internal sealed class BellListener(
    Doorbell doorbell,
    RunningLeases running,
    LoopSupervisor loops,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<BellListener> log,
    IBus? bus = null
) : IAsyncDisposable
{
    private static readonly TimeSpan ControlQueueExpires = TimeSpan.FromMinutes(10);
    private readonly CancellationTokenSource _stop = new();
    private int _heard;
    private int _disposed;
    private Task _listening = Task.CompletedTask;

    public void Start(string workerId, IReadOnlyList<Slot> slots)
    {
        if (bus is null)
        {
            return;
        }

        metrics.Observe(WorkerInstruments.BrokerUp, () => Volatile.Read(ref _heard) > 0 ? 1 : 0);
        _listening = loops.RunAsync(
            [
                .. Classes(slots).Select(vramClass =>
                    Listening(
                        bus,
                        $"bells_{Contracts.Messages.Bells.ClassName(vramClass)}",
                        Contracts.Messages.Bells.Queue(vramClass),
                        HearBells
                    )
                ),
                Listening(bus, "cancellations", Contracts.Messages.Bells.ControlQueue(workerId), HearCancellations),
            ],
            _stop.Token
        );
    }

    /// <summary>Lets go of its queues. Repeats safely: the drain does it first, the host once more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync();
        await _listening;
        _stop.Dispose();
    }

    private static IEnumerable<int> Classes(IReadOnlyList<Slot> slots)
    {
        // A CPU slot has no device memory: it serves class 0 only
        var largest = slots.Select(slot => slot.Kind == SlotKind.Cuda ? VramClass.OfTotal(slot.Description.TotalBytes) : 0).Max();
        return Contracts.Messages.Bells.Classes.Where(vramClass => vramClass <= largest);
    }

    private BrokerEndpoint Listening(IBus connected, string name, string queue, Action<IRabbitMqReceiveEndpointConfigurator> hear) =>
        new(connected, log)
        {
            Name = name,
            Queue = () => queue,
            Configure = endpoint =>
            {
                PutDownWhatIsNone(endpoint);
                hear(endpoint);
            },
            Beside = cancellationToken => HearAsync(queue, cancellationToken),
        };

    /// <summary>Until the token, which also says that the channel is gone.</summary>
    private async Task HearAsync(string queue, CancellationToken cancellationToken)
    {
        log.Listening(queue);
        Interlocked.Increment(ref _heard);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _heard);
        }
    }

    private void HearBells(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        endpoint.PrefetchCount = 1;
        endpoint.SetQueueArgument("x-max-length", Contracts.Messages.Bells.MaxLength);
        endpoint.SetQueueArgument("x-message-ttl", (int)Contracts.Messages.Bells.TimeToLive.TotalMilliseconds);
        endpoint.Handler<JobQueued>(context =>
        {
            log.BellHeard(context.Message.JobId, context.Message.VramClass);
            doorbell.Ring();
            return Task.CompletedTask;
        });
    }

    private void HearCancellations(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        endpoint.QueueExpiration = ControlQueueExpires;
        endpoint.Handler<CancelAttempt>(context =>
        {
            var held = running.Cancel(context.Message.Lease);
            log.CancellationHeard(context.Message.JobId, context.Message.Fence, held ? "stopping it" : "not held here");
            return Task.CompletedTask;
        });
    }

    /// <summary>Else MassTransit keeps it in a queue beside this one, where nobody looks, and tells the address it names.</summary>
    private static void PutDownWhatIsNone(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        endpoint.PublishFaults = false;
        endpoint.DiscardFaultedMessages();
        endpoint.DiscardSkippedMessages();
    }
}
