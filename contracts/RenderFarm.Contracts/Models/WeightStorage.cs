using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Models;

/// <summary>What the blocks of a model's file are stored in.</summary>
[JsonConverter(typeof(WordConverter<WeightStorage>))]
public enum WeightStorage
{
    /// <summary>Sixteen bits or more.</summary>
    [JsonStringEnumMemberName("full")]
    Full,

    /// <summary>e4m3, with scales or without.</summary>
    [JsonStringEnumMemberName("fp8")]
    Float8,

    /// <summary>int8 with scales.</summary>
    [JsonStringEnumMemberName("int8")]
    Int8,
}
