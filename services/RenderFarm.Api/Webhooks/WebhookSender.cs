using System.Diagnostics;
using RenderFarm.Api.Metrics;
using RenderFarm.Api.Outbound;
using RenderFarm.Api.Tracing;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Webhooks;

/// <summary>
/// Posts one delivery and notes what came of it. Every connection goes through the guard, which judges the address that is connected to;
/// a redirect is a failure, for it would lead past that.
/// </summary>
internal sealed partial class WebhookSender : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Of a host that answers nothing: what has waited for it longer is given up without a try of its own.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly DeliveryStore _deliveries;
    private readonly WebhookSecrets _secrets;
    private readonly OutboundGuard _guard;
    private readonly FarmMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<WebhookSender> _logger;
    private readonly HttpClient _http;

    public WebhookSender(
        DeliveryStore deliveries,
        WebhookSecrets secrets,
        OutboundGuard guard,
        FarmMetrics metrics,
        TimeProvider time,
        ILogger<WebhookSender> logger
    )
    {
        (_deliveries, _secrets, _guard, _metrics, _time, _logger) = (deliveries, secrets, guard, metrics, time, logger);
        _http = new HttpClient(guard.CreateHandler()) { Timeout = Patience, MaxResponseContentBufferSize = 64 << 10 };
    }

    public void Dispose() => _http.Dispose();

    /// <returns>Whether somebody has answered, or nobody had to be asked.</returns>
    public async Task<bool> DeliverAsync(DueDelivery due, CancellationToken cancellationToken)
    {
        var (delivery, began) = (due.Delivery, _time.GetTimestamp());
        using var scope = _logger.BeginScope("{Video} trace {Trace}", delivery.JobId, FarmTraces.IdOf(due.Event.Job.TraceParent));
        var (at, status, error) = (_time.GetUtcNow(), (int?)null, (string?)null);
        var result = WebhookResult.Blocked;
        var (secret, isAnswered) = (await _secrets.OfAsync(delivery.KeyId, cancellationToken), true);
        if (secret is null)
        {
            error = "the API key was revoked";
        }
        else if (_guard.FaultOf(delivery.Url) is { } fault)
        {
            error = $"webhook_url {fault}";
        }
        else
        {
            (status, error) = await PostAsync(due, secret, cancellationToken);
            isAnswered = status is not null;
            result =
                error is null ? WebhookResult.Delivered
                : isAnswered ? WebhookResult.Refused
                : WebhookResult.Unanswered;
        }

        _metrics.WebhookTried(delivery.Type, result, _time.GetElapsedTime(began));

        var tried = new DeliveryTry(at, Math.Round(_time.GetElapsedTime(began).TotalSeconds, 3), status, error);
        var again = error is null || secret is null ? null : WebhookSchedule.After(delivery.Tries + 1, status, Random.Shared.NextDouble());
        await _deliveries.RecordAsync(delivery, tried, again, cancellationToken);
        if (error is not null)
        {
            LogFailed(Word.Of(delivery.Type), delivery.JobId, delivery.Tries + 1, error);
        }

        if (!isAnswered && await _deliveries.GiveUpAsync(delivery.Lane, at - LongestWait, tried, cancellationToken) is > 0 and var count)
        {
            LogGivenUp(count, delivery.Host, LongestWait.TotalHours);
        }

        return isAnswered;
    }

    private async Task<(int? Status, string? Error)> PostAsync(DueDelivery due, string secret, CancellationToken cancellationToken)
    {
        var asked = due.Event.Job.TraceParent;
        using var span = JobSpans.Webhook(due.Delivery, asked);
        var (status, error) = await PostAsync(due, secret, span?.Id ?? asked, cancellationToken);
        span?.SetTag("http.response.status_code", status);
        span?.SetStatus(error is null ? ActivityStatusCode.Unset : ActivityStatusCode.Error, error);
        return (status, error);
    }

    private async Task<(int? Status, string? Error)> PostAsync(
        DueDelivery due,
        string secret,
        string? traceParent,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var message = WebhookMessage.Of(due.Event, due.Delivery.Url, secret, traceParent, _time.GetUtcNow());
            // What the receiver says besides its status is of no use here, and may be endless.
            using var answer = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var status = (int)answer.StatusCode;
            return (
                status,
                status is >= 200 and < 300 ? null
                : status is >= 300 and < 400 ? $"answered {status}; redirects are not followed"
                : $"answered {status}"
            );
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, FormattableString.Invariant($"did not answer within {Patience.TotalSeconds} s"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return (null, e.InnerException is OutboundRefusedException refused ? refused.Message : e.Message);
        }
    }

    [LoggerMessage(EventId = 601, Level = LogLevel.Information, Message = "Webhook {Type} of {JobId}, try {Try}: {Cause}")]
    private partial void LogFailed(string type, string jobId, int @try, string cause);

    [LoggerMessage(
        EventId = 602,
        Level = LogLevel.Warning,
        Message = "{Count} webhooks to {Host}, which has not answered, were given up: they are older than {Hours} h"
    )]
    private partial void LogGivenUp(int count, string host, double hours);
}
