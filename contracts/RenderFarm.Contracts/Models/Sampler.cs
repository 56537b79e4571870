using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Models;

/// <summary>How a denoise step goes from one noise level to the next.</summary>
[JsonConverter(typeof(WordConverter<Sampler>))]
public enum Sampler
{
    [JsonStringEnumMemberName("unipc")]
    UniPc,

    [JsonStringEnumMemberName("euler")]
    Euler,

    [JsonStringEnumMemberName("dpm++")]
    DpmPlusPlus,

    /// <summary>Euler on the few noise levels that a distilled model or LoRA was trained at.</summary>
    [JsonStringEnumMemberName("distilled")]
    Distilled,
}
