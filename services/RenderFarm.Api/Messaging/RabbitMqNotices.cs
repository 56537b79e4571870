using System.Text.Json;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RenderFarm.Api.Events;
using RenderFarm.Api.Hosting;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Between API processes: progress and wishes over a fanout exchange of their own, and the news that the log has grown
/// from the exchange of events. Nothing here is kept or confirmed: a process that was away looks for itself.
/// </summary>
public sealed partial class RabbitMqNotices(
    BrokerConnection broker,
    EventFeed feed,
    Readiness readiness,
    TimeProvider time,
    ILogger<RabbitMqNotices> logger
) : BrokerDuty(broker, readiness, time, logger), INoticeRelay
{
    private const string Exchange = "renderfarm.notices";
    private const int MostWaiting = 1_000;
    private readonly string _sender = Guid.NewGuid().ToString("N");
    private Func<ProgressNotice, CancellationToken, Task> _hear = (_, _) => Task.CompletedTask;
    private readonly Channel<ProgressNotice> _outgoing = System.Threading.Channels.Channel.CreateBounded<ProgressNotice>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    protected override CreateChannelOptions Channel { get; } =
        new(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false);

    public void Listen(Func<ProgressNotice, CancellationToken, Task> listener) => _hear = listener;

    public void Tell(ProgressNotice notice) => _outgoing.Writer.TryWrite(notice);

    protected override async Task RunAsync(IChannel channel, CancellationToken gone)
    {
        await channel.ExchangeDeclareAsync(Exchange, ExchangeType.Fanout, durable: true, cancellationToken: gone);
        await channel.ExchangeDeclareAsync(Bells.EventsExchange, ExchangeType.Topic, durable: true, cancellationToken: gone);
        var limit = new Dictionary<string, object?> { ["x-max-length"] = MostWaiting };
        var queue = await channel.QueueDeclareAsync("", durable: false, exclusive: true, autoDelete: true, limit, cancellationToken: gone);
        await channel.QueueBindAsync(queue.QueueName, Exchange, "", cancellationToken: gone);
        await channel.QueueBindAsync(queue.QueueName, Bells.EventsExchange, "#", cancellationToken: gone);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) => HearAsync(message, gone);
        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer, gone);
        await foreach (var notice in _outgoing.Reader.ReadAllAsync(gone))
        {
            var properties = new BasicProperties { ContentType = "application/json", AppId = _sender };
            await channel.BasicPublishAsync(
                Exchange,
                "",
                mandatory: false,
                properties,
                JsonSerializer.SerializeToUtf8Bytes(notice, Wire.Json),
                gone
            );
        }
    }

    private async Task HearAsync(BasicDeliverEventArgs message, CancellationToken gone)
    {
        if (message.Exchange == Bells.EventsExchange)
        {
            feed.Wake();
            return;
        }

        if (message.BasicProperties.AppId == _sender)
        {
            return;
        }

        try
        {
            if (JsonSerializer.Deserialize<ProgressNotice>(message.Body.Span, Wire.Json) is { } notice)
            {
                await _hear(notice, gone);
            }
        }
        catch (Exception e) when (e is JsonException or Jobs.Persistence.StoreUnavailableException)
        {
            LogMissed(e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A notice from another process was not understood: {Cause}")]
    private partial void LogMissed(string cause);
}
