using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs;

/// <summary>How far an event has come on its way to a webhook.</summary>
[JsonConverter(typeof(WordConverter<DeliveryState>))]
public enum DeliveryState
{
    /// <summary>To be tried, or tried again.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    [JsonStringEnumMemberName("delivered")]
    Delivered,

    /// <summary>Given up: tried for a day, or refused for good.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}
