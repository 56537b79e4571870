using MassTransit;
using RabbitMQ.Client;
using RenderFarm.Api.Events;
using RenderFarm.Api.Videos;
using RenderFarm.Broker;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Publishes the log of events to the topic exchange: the Video as plain JSON under <c>video.{event}.{model}</c>, in order,
/// at least once, each confirmed by the broker before its place in the log is passed. Repeats have the same message id.
/// </summary>
internal sealed class EventPublisher(IBus bus, BrokerPresence broker, EventLog log, EventFeed feed, TimeProvider time) : ILoop
{
    private const string Reader = "broker";

    /// <summary>A broker that is short of memory or disk takes nothing and says nothing.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly Uri Exchange = new($"exchange:{Bells.EventsExchange}?type={ExchangeType.Topic}");

    public string Name => "event_publisher";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        using var signal = new EventSignal(feed, time);
        while (true)
        {
            var gone = await broker.WaitAsync(cancellationToken);
            using (var either = CancellationTokenSource.CreateLinkedTokenSource(gone, cancellationToken))
            {
                var exchange = await bus.GetSendEndpoint(Exchange);
                while (await log.ForwardAsync(Reader, events => PublishAsync(exchange, events, either.Token), either.Token) > 0) { }
            }

            standing.Well();
            // Another process may be the one that publishes; when it stops, this one goes on.
            await signal.WaitAsync(cancellationToken);
        }
    }

    private async Task PublishAsync(ISendEndpoint exchange, IReadOnlyList<EventOfJob> events, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await PublishAllAsync(exchange, events, either.Token).WaitAsync(either.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BrokerAwayException(
                patience.IsCancellationRequested
                    ? $"The broker has not confirmed {events.Count} events within {Patience.TotalSeconds} s: is it short of memory or disk?"
                    : e.Message,
                e
            );
        }
    }

    /// <summary>The first alone, for it may have to open the channel; the confirms of the others are awaited together.</summary>
    private static async Task PublishAllAsync(ISendEndpoint exchange, IReadOnlyList<EventOfJob> events, CancellationToken cancellationToken)
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
}
