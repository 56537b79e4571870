using System.ComponentModel;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>How far a plan may go from the precision of the model's file; pins go before it.</summary>
[JsonConverter(typeof(WordConverter<Quality>))]
[TypeConverter(typeof(SettingWordConverter<Quality>))]
public enum Quality
{
    /// <summary>Eight bits where memory asks for them, or much time is gained and little error comes with it.</summary>
    [JsonStringEnumMemberName("balanced")]
    Balanced,

    /// <summary>The file's own: bf16, or the eight bits that it is stored in.</summary>
    [JsonStringEnumMemberName("exact")]
    Exact,

    /// <summary>Whatever is fastest.</summary>
    [JsonStringEnumMemberName("fast")]
    Fast,
}
