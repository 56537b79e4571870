using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Api.Metrics;

/// <summary>What came of one try to deliver a webhook.</summary>
[JsonConverter(typeof(WordConverter<WebhookResult>))]
internal enum WebhookResult
{
    [JsonStringEnumMemberName("delivered")]
    Delivered,

    /// <summary>Answered with another status than a good one.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused,

    [JsonStringEnumMemberName("unanswered")]
    Unanswered,

    /// <summary>Not sent: the address is not to be connected to, or the key was revoked.</summary>
    [JsonStringEnumMemberName("blocked")]
    Blocked,
}
