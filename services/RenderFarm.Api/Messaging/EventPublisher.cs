using MassTransit;
using RabbitMQ.Client;
using RenderFarm.Api.Events;
using RenderFarm.Api.Hosting;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Publishes the log of events to the topic exchange: the Video as plain JSON under <c>video.{event}.{model}</c>, in order,
/// at least once, each confirmed by the broker before its place in the log is passed. Repeats have the same message id.
/// </summary>
internal sealed partial class EventPublisher(
    IBus bus,
    BrokerPresence broker,
    EventLog log,
    EventFeed feed,
    Readiness readiness,
    TimeProvider time,
    ILogger<EventPublisher> logger
) : BackgroundService
{
    private const string Reader = "broker";
    private static readonly Uri Exchange = new($"exchange:{Bells.EventsExchange}?type={ExchangeType.Topic}");

    private bool _isHeldUp;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await readiness.WaitAsync(stoppingToken))
        {
            return;
        }

        using var signal = new EventSignal(feed, time);
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await ForwardAsync(stoppingToken);
                // Another process may be the one that publishes; when it stops, this one goes on.
                await signal.WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private async Task ForwardAsync(CancellationToken stoppingToken)
    {
        var gone = await broker.WaitAsync(stoppingToken);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(gone, stoppingToken);
        try
        {
            var exchange = await bus.GetSendEndpoint(Exchange);
            while (await log.ForwardAsync(Reader, events => PublishAsync(exchange, events, either.Token), either.Token) > 0) { }

            if (_isHeldUp)
            {
                LogPublished();
                _isHeldUp = false;
            }
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            // Whatever a broker's client throws, and the store's outages: the next look is in a second.
            if (!_isHeldUp && e is not OperationCanceledException)
            {
                LogUnpublished(e.Message);
                _isHeldUp = true;
            }
        }
    }

    /// <summary>The first alone, for it may have to open the channel; the confirms of the others are awaited together.</summary>
    private static async Task PublishAsync(ISendEndpoint exchange, IReadOnlyList<EventOfJob> events, CancellationToken cancellationToken)
    {
        await PublishAsync(exchange, events[0], cancellationToken);
        await Task.WhenAll(events.Skip(1).Select(next => PublishAsync(exchange, next, cancellationToken)));
    }

    private static Task PublishAsync(ISendEndpoint exchange, EventOfJob next, CancellationToken cancellationToken) =>
        exchange.SendPlainAsync(
            Video.Of(next.Job),
            context =>
            {
                context.RoutingKey = $"{Word.Of(next.Event.Type)}.{next.Event.Model}";
                context.BasicProperties.Type = Word.Of(next.Event.Type);
                context.BasicProperties.MessageId = EventIds.Of(next.Event);
                context.BasicProperties.CorrelationId = next.IdempotencyKey;
                context.BasicProperties.Timestamp = new AmqpTimestamp(next.Event.OccurredAt.ToUnixTimeSeconds());
            },
            cancellationToken
        );

    [LoggerMessage(
        EventId = 411,
        Level = LogLevel.Warning,
        Message = "Events could not be published and are tried again every second: {Cause}"
    )]
    private partial void LogUnpublished(string cause);

    [LoggerMessage(EventId = 412, Level = LogLevel.Information, Message = "Events are published again")]
    private partial void LogPublished();
}
