using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Net.Http.Headers;
using RabbitMQ.Client;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Tracing;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Messages;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// The queue door: a message is the body of <c>POST /v1/videos</c>, its id the idempotency key, its header
/// <c>x-api-key</c> the caller. It is acknowledged when it is a row, or when it lies in the rejected queue with the
/// reason. While the store is away it waits where it is: nothing is dropped, and nothing is tried for ever.
/// </summary>
internal sealed partial class IntakeConsumer(
    IBus bus,
    ApiKeys keys,
    VideoSubmission submission,
    TimeProvider time,
    ILogger<IntakeConsumer> logger
) : BusDuty(bus, time, logger)
{
    /// <summary>Messages in hand at once; their bodies are in memory.</summary>
    private const int Prefetch = 32;

    private const int AtOnce = 8;
    private const string KeyHeader = "x-api-key";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly TimeProvider _time = time;

    public override string Name => "intake";

    protected override string Queue => Bells.IntakeExchange;

    protected override void Configure(IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        endpoint.PrefetchCount = Prefetch;
        endpoint.ConcurrentMessageLimit = AtOnce;
        endpoint.SetQueueArgument(RejectedQueue.Type.Key, RejectedQueue.Type.Value);
        endpoint.ConfigureChannel(channel => channel.UseExecuteAsync(RejectedQueue.DeclareAsync));
        // A fault of ours leaves the message in its queue: no error queue, no word to a stranger's address.
        endpoint.PublishFaults = false;
        endpoint.RethrowFaultedMessages();
        PlainMessage.ReceivedBy(endpoint);
        endpoint.Handler<PlainMessage>(HandleAsync);
    }

    /// <summary>Never throws while the channel is there: a message given back would come again at once.</summary>
    private async Task HandleAsync(ConsumeContext<PlainMessage> context)
    {
        var properties = context.GetPayload<RabbitMqBasicConsumeContext>().Properties;
        using var span = JobSpans.Intake(Queue, properties.MessageId, HeaderOf(properties, FarmTraces.Header));
        var body = context.ReceiveContext.Body.GetBytes();
        if (await RefusalOfAsync(properties, body, context.CancellationToken) is not { } refusal)
        {
            return;
        }

        LogRejected(properties.MessageId ?? "(none)", refusal.Code, refusal.Message);
        var rejected = RejectedMessage.Properties(properties, refusal, KeyHeader, _time.GetUtcNow());
        var channel = context.GetPayload<ChannelContext>();
        while (true)
        {
            try
            {
                await RejectedQueue.MoveAsync(channel, rejected, body, context.CancellationToken);
                return;
            }
            catch (Exception e) when (!context.CancellationToken.IsCancellationRequested)
            {
                LogUnmoved(properties.MessageId ?? "(none)", e.Message);
                await Task.Delay(Pause, _time, context.CancellationToken);
            }
        }
    }

    /// <returns>Null when the message has become a video, now or before.</returns>
    private async Task<ApiError?> RefusalOfAsync(IReadOnlyBasicProperties properties, byte[] body, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await AcceptAsync(properties, body, cancellationToken);
                return null;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                var refusal = Refusals.Of(e, _time.GetUtcNow());
                if (refusal.Status != StatusCodes.Status503ServiceUnavailable)
                {
                    if (refusal.Status == StatusCodes.Status500InternalServerError)
                    {
                        LogFailure(e, properties.MessageId ?? "(none)");
                    }

                    return refusal;
                }

                await Task.Delay(Pause, _time, cancellationToken);
            }
        }
    }

    private async Task AcceptAsync(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
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
            HeaderOf(properties, KeyHeader)
            ?? throw ApiError.InvalidApiKey($"The message has no header {KeyHeader}.").AsException();
        var caller =
            await keys.AuthenticateAsync(secret, cancellationToken)
            ?? throw ApiError.InvalidApiKey("This API key is unknown or has been revoked.").AsException();
        if (!caller.Allows(KeyScopes.Submit))
        {
            throw ApiError.MissingScope(Scopes.Submit).AsException();
        }

        await submission.SubmitAsync(
            VideoRequestReader.Read(BodyReader.OfJson(body, BodyShape.Video)),
            caller,
            new RepeatMarks(id, IsClientRetry: false),
            cancellationToken
        );
    }

    private static string? HeaderOf(IReadOnlyBasicProperties properties, string name) =>
        properties.Headers is { } headers && headers.TryGetValue(name, out var value) ? RejectedMessage.Text(value) : null;

    [LoggerMessage(EventId = 431, Level = LogLevel.Information, Message = "Intake message {MessageId} was rejected: {Code}, {Reason}")]
    private partial void LogRejected(string messageId, string code, string reason);

    [LoggerMessage(EventId = 432, Level = LogLevel.Error, Message = "Intake message {MessageId} failed inside")]
    private partial void LogFailure(Exception exception, string messageId);

    [LoggerMessage(
        EventId = 433,
        Level = LogLevel.Warning,
        Message = "Intake message {MessageId} could not be moved to the rejected ones, tried again in a second: {Cause}"
    )]
    private partial void LogUnmoved(string messageId, string cause);
}
