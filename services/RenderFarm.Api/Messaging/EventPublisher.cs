using System.Globalization;
using System.Text.Json;
using RabbitMQ.Client;
using RenderFarm.Api.Hosting;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Publishes the log of events to the topic exchange: the Video as plain JSON under <c>video.{event}.{model}</c>, in order,
/// at least once, each confirmed by the broker before its place in the log is passed. Repeats have the same message id.
/// </summary>
public sealed class EventPublisher(
    BrokerConnection broker,
    EventLog log,
    EventFeed feed,
    Readiness readiness,
    TimeProvider time,
    ILogger<EventPublisher> logger
) : BrokerDuty(broker, readiness, time, logger)
{
    private const string Reader = "broker";
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly TimeProvider _time = time;

    protected override async Task RunAsync(IChannel channel, CancellationToken gone)
    {
        await channel.ExchangeDeclareAsync(Bells.EventsExchange, ExchangeType.Topic, durable: true, cancellationToken: gone);
        using var news = new SemaphoreSlim(0);
        void Wake(IReadOnlyList<JobEvent> events) => news.Release();
        feed.Happened += Wake;
        try
        {
            while (true)
            {
                while (await log.ForwardAsync(Reader, told => PublishAsync(channel, told, gone), gone) > 0) { }

                // Another process may be the one that publishes; when it stops, this one goes on.
                await WaitAsync(news, gone);
            }
        }
        finally
        {
            feed.Happened -= Wake;
        }
    }

    private async Task WaitAsync(SemaphoreSlim news, CancellationToken gone)
    {
        using var limit = new CancellationTokenSource(LookEvery, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, gone);
        try
        {
            await news.WaitAsync(either.Token);
            while (news.Wait(0, CancellationToken.None)) { }
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested) { }
    }

    private static Task PublishAsync(IChannel channel, IReadOnlyList<ToldEvent> told, CancellationToken gone)
    {
        // The channel keeps their order; the confirms are awaited together.
        return Task.WhenAll(
            told.Select(one =>
                channel
                    .BasicPublishAsync(
                        Bells.EventsExchange,
                        $"{one.Event.Type}.{one.Event.Model}",
                        mandatory: false,
                        new BasicProperties
                        {
                            ContentType = "application/json",
                            Type = one.Event.Type,
                            MessageId = EventIds.Of(one.Event),
                            CorrelationId = one.IdempotencyKey,
                            Timestamp = new AmqpTimestamp(one.Event.OccurredAt.ToUnixTimeSeconds()),
                            Persistent = true,
                        },
                        JsonSerializer.SerializeToUtf8Bytes(Video.Of(one.Job), Wire.Json),
                        gone
                    )
                    .AsTask()
            )
        );
    }
}

/// <summary>What an event is called outside: the same wherever and however often it is told.</summary>
public static class EventIds
{
    public static string Of(JobEvent told) => string.Create(CultureInfo.InvariantCulture, $"evt_{told.Position}");
}
