using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Leases;

/// <summary>Why a worker hands a job back that it has not failed.</summary>
[JsonConverter(typeof(WordConverter<ReleaseReason>))]
public enum ReleaseReason
{
    /// <summary>The worker stops, or lost what it needs, while the job is under way.</summary>
    [JsonStringEnumMemberName("interrupted")]
    Interrupted,

    /// <summary>The worker drains and has not begun.</summary>
    [JsonStringEnumMemberName("draining")]
    Draining,

    /// <summary>Something that every job needs does not work on this slot: it takes none until it does.</summary>
    [JsonStringEnumMemberName("slot_fault")]
    SlotFault,
}
