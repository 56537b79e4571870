using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Api.Metrics;

/// <summary>Whether a job began when its submission was promised.</summary>
[JsonConverter(typeof(WordConverter<PromiseResult>))]
internal enum PromiseResult
{
    [JsonStringEnumMemberName("kept")]
    Kept,

    [JsonStringEnumMemberName("late")]
    Late,

    /// <summary>Nothing was promised.</summary>
    [JsonStringEnumMemberName("unserved")]
    Unserved,
}
