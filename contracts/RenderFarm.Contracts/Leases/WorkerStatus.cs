using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Leases;

/// <summary>Whether a worker can be counted on.</summary>
[JsonConverter(typeof(WordConverter<WorkerStatus>))]
public enum WorkerStatus
{
    [JsonStringEnumMemberName("live")]
    Live,

    /// <summary>It finishes what it has and takes no more.</summary>
    [JsonStringEnumMemberName("draining")]
    Draining,

    /// <summary>Not heard of for longer than a live one is silent.</summary>
    [JsonStringEnumMemberName("gone")]
    Gone,

    /// <summary>It was stopped in order: it said good-bye, and held nothing.</summary>
    [JsonStringEnumMemberName("stopped")]
    Stopped,
}
