using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>What has become of a batch, as the public interface has words for.</summary>
[JsonConverter(typeof(WordConverter<BatchState>))]
public enum BatchState
{
    /// <summary>None of its videos has begun.</summary>
    [JsonStringEnumMemberName("queued")]
    Queued,

    [JsonStringEnumMemberName("in_progress")]
    InProgress,

    /// <summary>All have ended, whatever became of each.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    [JsonStringEnumMemberName("cancelled")]
    Cancelled,
}
