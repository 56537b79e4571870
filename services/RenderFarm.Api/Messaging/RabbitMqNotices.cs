using System.Text.Json;
using System.Threading.Channels;
using MassTransit;
using RabbitMQ.Client;
using RenderFarm.Api.Events;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Between API processes: progress and wishes over a fanout exchange of their own, and the news that the log has grown
/// from the exchange of events. Nothing here is kept or confirmed: a process that was away looks for itself.
/// </summary>
internal sealed partial class RabbitMqNotices(
    IBus bus,
    BrokerPresence broker,
    EventFeed feed,
    TimeProvider time,
    ILogger<RabbitMqNotices> logger
) : BusDuty(bus, time, logger), INoticeRelay
{
    private const string Exchange = "renderfarm.notices";
    private const int MostWaiting = 1_000;
    private readonly IBus _bus = bus;
    private readonly string _sender = Guid.NewGuid().ToString("N");
    private readonly Channel<ProgressNotice> _outgoing = Channel.CreateBounded<ProgressNotice>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest }
    );
    private Func<ProgressNotice, CancellationToken, Task> _hear = (_, _) => Task.CompletedTask;

    public override string Name => "notices";

    /// <summary>Another one each time: the broker may still hold the last one for a connection whose end it has not noticed.</summary>
    protected override string Queue => $"{Exchange}.{Guid.NewGuid():N}";

    public void Listen(Func<ProgressNotice, CancellationToken, Task> listener) => _hear = listener;

    public void Tell(ProgressNotice notice) => _outgoing.Writer.TryWrite(notice);

    protected override void Configure(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        endpoint.Durable = false;
        endpoint.AutoDelete = true;
        endpoint.Exclusive = true;
        endpoint.PrefetchCount = 100;
        endpoint.ConcurrentMessageLimit = 1;
        endpoint.PublishFaults = false;
        endpoint.DiscardFaultedMessages();
        endpoint.SetQueueArgument("x-max-length", MostWaiting);
        endpoint.Bind(Exchange, binding => binding.Durable = true);
        endpoint.Bind(
            Bells.EventsExchange,
            binding =>
            {
                binding.Durable = true;
                binding.ExchangeType = ExchangeType.Topic;
                binding.RoutingKey = "#";
            }
        );
        PlainMessage.ReceivedBy(endpoint);
        endpoint.Handler<PlainMessage>(HearAsync);
    }

    protected override async Task RunBesideAsync(CancellationToken cancellationToken)
    {
        broker.IsThere(cancellationToken);
        var exchange = await _bus.GetSendEndpoint(new Uri($"exchange:{Exchange}"));
        await foreach (var notice in _outgoing.Reader.ReadAllAsync(cancellationToken))
        {
            await exchange.SendPlainAsync(
                notice,
                context =>
                {
                    context.AwaitAck = false;
                    context.Durable = false;
                    context.BasicProperties.AppId = _sender;
                },
                cancellationToken
            );
        }
    }

    private async Task HearAsync(ConsumeContext<PlainMessage> context)
    {
        var delivery = context.GetPayload<RabbitMqBasicConsumeContext>();
        if (delivery.Exchange == Bells.EventsExchange)
        {
            feed.Wake();
            return;
        }

        if (delivery.Properties.AppId == _sender)
        {
            return;
        }

        try
        {
            if (JsonSerializer.Deserialize<ProgressNotice>(context.ReceiveContext.Body.GetBytes(), Wire.Json) is { } notice)
            {
                await _hear(notice, context.CancellationToken);
            }
        }
        catch (Exception e) when (e is JsonException or StoreUnavailableException)
        {
            LogMissed(e.Message);
        }
    }

    [LoggerMessage(EventId = 421, Level = LogLevel.Debug, Message = "A notice from another process was not understood: {Cause}")]
    private partial void LogMissed(string cause);
}
