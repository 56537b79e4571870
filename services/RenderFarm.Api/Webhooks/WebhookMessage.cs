using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RenderFarm.Api.Events;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Webhooks;

/// <summary>A delivery as Standard Webhooks has it: the id stays the same over all tries, time and signature are each try's own.</summary>
internal static class WebhookMessage
{
    public static HttpRequestMessage Of(EventOfJob happened, string url, string secret, string? traceParent, DateTimeOffset now)
    {
        var id = EventIds.Of(happened.Event);
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new WebhookBody(
                id,
                happened.Event.Type,
                happened.Event.OccurredAt.ToUnixTimeSeconds(),
                happened.Event.OccurredAt.UtcDateTime,
                Video.Of(happened.Job)
            ),
            Wire.Json
        );
        var sent = now.ToUnixTimeSeconds();
        var message = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } },
        };
        message.Headers.Add("webhook-id", id);
        message.Headers.Add("webhook-timestamp", FormattableString.Invariant($"{sent}"));
        message.Headers.Add("webhook-signature", "v1," + Sign(secret, id, sent, body));
        if (traceParent is not null)
        {
            message.Headers.Add(FarmTraces.Header, traceParent);
        }

        message.Headers.UserAgent.ParseAdd("RenderFarm-Webhooks/1");
        return message;
    }

    /// <summary>
    /// Base64 of HMAC-SHA256 over <c>{id}.{timestamp}.{body}</c>, with the decoded part of the secret after its prefix as key.
    /// </summary>
    public static string Sign(string secret, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var key = Convert.FromBase64String(secret[WebhookSecrets.Prefix.Length..]);
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{id}.{timestamp}.")));
        hash.AppendData(body);
        return Convert.ToBase64String(hash.GetHashAndReset());
    }
}

/// <summary>What the receiver reads.</summary>
internal sealed record WebhookBody(string Id, VideoEvent Type, long CreatedAt, DateTime Timestamp, Video Data)
{
    public string Object { get; } = "event";
}
