using Microsoft.Net.Http.Headers;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Hosting;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// The queue door: a message is the body of <c>POST /v1/videos</c>, its id the idempotency key, its header
/// <c>x-api-key</c> the caller. It is acknowledged when it is a row, or when it lies in the rejected queue with the
/// reason. While the store is away it waits where it is: nothing is dropped, and nothing is tried for ever.
/// </summary>
public sealed partial class IntakeConsumer(
    BrokerConnection broker,
    ApiKeys keys,
    VideoSubmission submission,
    Readiness readiness,
    TimeProvider time,
    ILogger<IntakeConsumer> logger
) : BrokerDuty(broker, readiness, time, logger)
{
    /// <summary>Messages in hand at once; their bodies are in memory.</summary>
    private const ushort Prefetch = 32;

    private const ushort AtOnce = 8;
    private const string KeyHeader = "x-api-key";
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(1);
    private readonly TimeProvider _time = time;

    protected override CreateChannelOptions Channel { get; } =
        new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, consumerDispatchConcurrency: AtOnce);

    protected override async Task RunAsync(IChannel channel, CancellationToken gone)
    {
        var kept = new Dictionary<string, object?> { ["x-queue-type"] = "quorum" };
        await channel.ExchangeDeclareAsync(Bells.IntakeExchange, ExchangeType.Fanout, durable: true, cancellationToken: gone);
        await channel.QueueDeclareAsync(
            Bells.IntakeExchange,
            durable: true,
            exclusive: false,
            autoDelete: false,
            kept,
            cancellationToken: gone
        );
        await channel.QueueBindAsync(Bells.IntakeExchange, Bells.IntakeExchange, "", cancellationToken: gone);
        await channel.QueueDeclareAsync(
            Bells.RejectedIntakeQueue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            kept,
            cancellationToken: gone
        );
        await channel.BasicQosAsync(0, Prefetch, global: false, gone);

        using var publishing = new SemaphoreSlim(1);
        var broken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, message) =>
        {
            try
            {
                await HandleAsync(channel, publishing, message, gone);
            }
            catch (Exception e)
            {
                // The channel goes, and with it the claim on its messages: they come again on the next.
                broken.TrySetException(e);
            }
        };
        await channel.BasicConsumeAsync(Bells.IntakeExchange, autoAck: false, consumer, gone);
        await broken.Task.WaitAsync(gone);
    }

    private async Task HandleAsync(IChannel channel, SemaphoreSlim publishing, BasicDeliverEventArgs message, CancellationToken gone)
    {
        if (await RefusalOfAsync(message, gone) is { } refusal)
        {
            LogRejected(message.BasicProperties.MessageId ?? "(none)", refusal.Code, refusal.Message);
            await publishing.WaitAsync(gone);
            try
            {
                await channel.BasicPublishAsync(
                    "",
                    Bells.RejectedIntakeQueue,
                    mandatory: true,
                    RejectedMessage.Properties(message.BasicProperties, refusal, KeyHeader, _time.GetUtcNow()),
                    message.Body,
                    gone
                );
            }
            finally
            {
                publishing.Release();
            }
        }

        await channel.BasicAckAsync(message.DeliveryTag, multiple: false, gone);
    }

    /// <returns>Null when the message has become a video, now or before.</returns>
    private async Task<ApiError?> RefusalOfAsync(BasicDeliverEventArgs message, CancellationToken gone)
    {
        while (true)
        {
            try
            {
                await AcceptAsync(message.BasicProperties, message.Body, gone);
                return null;
            }
            catch (Exception e) when (!gone.IsCancellationRequested)
            {
                var refusal = Refusals.Of(e, _time.GetUtcNow());
                if (refusal.Status != StatusCodes.Status503ServiceUnavailable)
                {
                    if (refusal.Status == StatusCodes.Status500InternalServerError)
                    {
                        LogFailure(e, message.BasicProperties.MessageId ?? "(none)");
                    }

                    return refusal;
                }

                await Task.Delay(StorePause, _time, gone);
            }
        }
    }

    private async Task AcceptAsync(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken gone)
    {
        if (properties.MessageId is not { Length: > 0 } id)
        {
            throw ApiError
                .InvalidValue(
                    "message_id",
                    "The message has no message_id. Give each request an id of its own: a message that comes twice under one id is one "
                        + "video."
                )
                .AsException();
        }

        if (
            properties.ContentType is { Length: > 0 } type
            && !(MediaTypeHeaderValue.TryParse(type, out var media) && (media.SubType == "json" || media.Suffix == "json"))
        )
        {
            throw ApiError.UnsupportedMediaType(type, "application/json").AsException();
        }

        if (body.Length > BodyLimits.Submit)
        {
            throw ApiError.TooLarge(BodyLimits.Submit).AsException();
        }

        var secret =
            (properties.Headers is { } headers && headers.TryGetValue(KeyHeader, out var value) ? RejectedMessage.Text(value) : null)
            ?? throw ApiError.InvalidApiKey($"The message has no header {KeyHeader}.").AsException();
        var caller =
            await keys.AuthenticateAsync(secret, gone)
            ?? throw ApiError.InvalidApiKey("This API key is unknown or has been revoked.").AsException();
        if (!caller.Allows(KeyScopes.Submit))
        {
            throw ApiError.MissingScope(Scopes.Submit).AsException();
        }

        await submission.SubmitAsync(
            VideoRequestReader.Read(await BodyReader.OfJsonAsync(body, gone)),
            caller,
            new RepeatMarks(id, IsClientRetry: false),
            gone
        );
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Intake message {MessageId} was rejected: {Code}, {Reason}")]
    private partial void LogRejected(string messageId, string code, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Intake message {MessageId} failed inside")]
    private partial void LogFailure(Exception exception, string messageId);
}
