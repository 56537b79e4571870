using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

[JsonConverter(typeof(WordConverter<StepCacheKind>))]
public enum StepCacheKind
{
    /// <summary>Skips by how much the time embedding has changed.</summary>
    [JsonStringEnumMemberName("teacache")]
    Teacache,

    /// <summary>Skips by how much residuals of this model shrink from step to step, measured beforehand.</summary>
    [JsonStringEnumMemberName("magcache")]
    Magcache,
}

/// <summary>Leaves out the blocks of denoise steps that would change little, for speed against likeness.</summary>
/// <param name="Threshold">How much error may add up before a step is computed again; null takes the published one of the model.</param>
public sealed record StepCacheChoice(StepCacheKind Kind, double? Threshold = null);
