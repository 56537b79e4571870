using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Leases;

/// <summary>Why a slot is given no jobs.</summary>
/// <param name="Reason">In words, with what to do.</param>
/// <param name="Since">Unix seconds.</param>
public sealed record SlotQuarantine(string Reason, long Since, QuarantineSource By);

/// <summary>Who holds a slot for unfit.</summary>
[JsonConverter(typeof(WordConverter<QuarantineSource>))]
public enum QuarantineSource
{
    /// <summary>Its own worker: the card, its driver or the video encoder is at fault.</summary>
    [JsonStringEnumMemberName("worker")]
    Worker,

    /// <summary>The farm: jobs failed on it, one after the other, that went well elsewhere.</summary>
    [JsonStringEnumMemberName("farm")]
    Farm,
}
