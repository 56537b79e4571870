using MassTransit;
using RabbitMQ.Client;
using RenderFarm.Api.Events;
using RenderFarm.Api.Hosting;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Messages;
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
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly Uri Exchange = new($"exchange:{Bells.EventsExchange}?type={ExchangeType.Topic}");

    private bool _isHeldUp;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await readiness.WaitAsync(stoppingToken))
        {
            return;
        }

        using var news = new SemaphoreSlim(0);
        void Wake(IReadOnlyList<JobEvent> events) => news.Release();
        feed.Happened += Wake;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await ForwardAsync(stoppingToken);
                // Another process may be the one that publishes; when it stops, this one goes on.
                await WaitAsync(news, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
        finally
        {
            feed.Happened -= Wake;
        }
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

    private async Task WaitAsync(SemaphoreSlim news, CancellationToken stoppingToken)
    {
        using var limit = new CancellationTokenSource(LookEvery, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stoppingToken);
        try
        {
            await news.WaitAsync(either.Token);
            while (news.Wait(0, CancellationToken.None)) { }
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested) { }
    }

    /// <summary>The first alone, for it may have to open the channel; the confirms of the others are awaited together.</summary>
    private static async Task PublishAsync(ISendEndpoint exchange, IReadOnlyList<ToldEvent> events, CancellationToken cancellationToken)
    {
        await PublishAsync(exchange, events[0], cancellationToken);
        await Task.WhenAll(events.Skip(1).Select(next => PublishAsync(exchange, next, cancellationToken)));
    }

    private static Task PublishAsync(ISendEndpoint exchange, ToldEvent told, CancellationToken cancellationToken) =>
        exchange.SendPlainAsync(
            Video.Of(told.Job),
            context =>
            {
                context.RoutingKey = $"{told.Event.Type}.{told.Event.Model}";
                context.BasicProperties.Type = told.Event.Type;
                context.BasicProperties.MessageId = EventIds.Of(told.Event);
                context.BasicProperties.CorrelationId = told.IdempotencyKey;
                context.BasicProperties.Timestamp = new AmqpTimestamp(told.Event.OccurredAt.ToUnixTimeSeconds());
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
