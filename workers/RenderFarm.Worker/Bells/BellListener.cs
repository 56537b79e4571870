using MassTransit;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;
using RenderFarm.Planning;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Bells;

/// <summary>
/// Hears bells of every VRAM class this worker can run, and cancellations on its control queue. A bell is put down
/// (acknowledged) at once: the lease holds the work, not the message. Nothing waits for the broker; without it the long
/// poll brings work and renewals bring cancellations.
/// </summary>
internal sealed class BellListener(
    IOptions<BusOptions> options,
    Doorbell doorbell,
    RunningLeases running,
    ILoggerFactory loggers,
    ILogger<BellListener> log
) : IAsyncDisposable
{
    private static readonly TimeSpan ControlQueueExpires = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(3);
    private readonly CancellationTokenSource _stop = new();
    private IBusControl? _bus;
    private int _disposed;
    private Task _starting = Task.CompletedTask;

    public void Start(string workerId, IReadOnlyList<Slot> slots)
    {
        if (options.Value.Kind == "none")
        {
            return;
        }

        LogContext.ConfigureCurrentLogContext(loggers);
        int[] classes = [.. Classes(slots)];
        _bus = Bus.Factory.CreateUsingRabbitMq(bus =>
        {
            Connect(bus, new Uri(options.Value.Uri!));
            foreach (var vramClass in classes)
            {
                Listen(bus, vramClass);
            }

            Control(bus, workerId);
        });
        _starting = StartAsync(_bus, classes);
    }

    /// <summary>Lets go of the broker. Repeats safely: the drain does it first, the host once more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync();
        await _starting;
        if (_bus is not null)
        {
            using var patience = new CancellationTokenSource(StopPatience);
            try
            {
                await _bus.StopAsync(patience.Token);
            }
            catch (Exception fault)
            {
                log.BrokerCloseFailed(fault.Message);
            }
        }

        _stop.Dispose();
    }

    private static IEnumerable<int> Classes(IReadOnlyList<Slot> slots)
    {
        // A CPU slot has no device memory: it serves class 0 only
        var largest = slots.Select(slot => slot.Kind == SlotKind.Cuda ? VramClass.OfTotal(slot.Description.TotalBytes) : 0).Max();
        return Contracts.Messages.Bells.Classes.Where(vramClass => vramClass <= largest);
    }

    private static void Connect(IRabbitMqBusFactoryConfigurator bus, Uri uri)
    {
        var credentials = uri.UserInfo.Split(':', 2);
        var host = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/'));
        var port = uri.IsDefaultPort || uri.Port <= 0 ? (ushort)(uri.Scheme == "amqps" ? 5671 : 5672) : (ushort)uri.Port;
        bus.Host(
            uri.Host,
            port,
            host.Length == 0 ? "/" : host,
            h =>
            {
                if (credentials[0].Length > 0)
                {
                    h.Username(Uri.UnescapeDataString(credentials[0]));
                }

                if (credentials.Length > 1)
                {
                    h.Password(Uri.UnescapeDataString(credentials[1]));
                }

                if (uri.Scheme == "amqps")
                {
                    h.UseSsl(_ => { });
                }
            }
        );
    }

    private void Listen(IRabbitMqBusFactoryConfigurator bus, int vramClass) =>
        bus.ReceiveEndpoint(
            Contracts.Messages.Bells.Queue(vramClass),
            endpoint =>
            {
                endpoint.ConfigureConsumeTopology = false;
                endpoint.PrefetchCount = 1;
                PutDownWhatIsNone(endpoint);
                endpoint.SetQueueArgument("x-max-length", Contracts.Messages.Bells.MaxLength);
                endpoint.SetQueueArgument("x-message-ttl", (int)Contracts.Messages.Bells.TimeToLive.TotalMilliseconds);
                endpoint.Handler<JobQueued>(context =>
                {
                    log.BellHeard(context.Message.JobId, context.Message.VramClass);
                    doorbell.Ring();
                    return Task.CompletedTask;
                });
            }
        );

    private void Control(IRabbitMqBusFactoryConfigurator bus, string workerId) =>
        bus.ReceiveEndpoint(
            Contracts.Messages.Bells.ControlQueue(workerId),
            endpoint =>
            {
                endpoint.ConfigureConsumeTopology = false;
                endpoint.QueueExpiration = ControlQueueExpires;
                PutDownWhatIsNone(endpoint);
                endpoint.Handler<CancelAttempt>(context =>
                {
                    var held = running.Cancel(context.Message.Lease);
                    log.CancellationHeard(context.Message.JobId, context.Message.Fence, held ? "stopping it" : "not held here");
                    return Task.CompletedTask;
                });
            }
        );

    /// <summary>Else MassTransit keeps it in a queue beside this one, where nobody looks, and tells the address it names.</summary>
    private static void PutDownWhatIsNone(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        endpoint.PublishFaults = false;
        endpoint.DiscardFaultedMessages();
        endpoint.DiscardSkippedMessages();
    }

    private async Task StartAsync(IBusControl bus, int[] classes)
    {
        try
        {
            await bus.StartAsync(_stop.Token);
            log.ListeningForBells(classes.Select(Contracts.Messages.Bells.ClassName));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            log.BrokerNeverReached();
        }
        catch (Exception fault)
        {
            log.NoBells(fault.Message);
        }
    }
}
