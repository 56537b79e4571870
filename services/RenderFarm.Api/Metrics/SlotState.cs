using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Api.Metrics;

/// <summary>Whether a slot takes jobs.</summary>
[JsonConverter(typeof(WordConverter<SlotState>))]
internal enum SlotState
{
    [JsonStringEnumMemberName("ready")]
    Ready,

    [JsonStringEnumMemberName("draining")]
    Draining,

    [JsonStringEnumMemberName("quarantined")]
    Quarantined,

    /// <summary>Its worker has not been heard of for a while.</summary>
    [JsonStringEnumMemberName("gone")]
    Gone,

    /// <summary>Its worker was drained before it went, or said good-bye.</summary>
    [JsonStringEnumMemberName("stopped")]
    Stopped,
}
