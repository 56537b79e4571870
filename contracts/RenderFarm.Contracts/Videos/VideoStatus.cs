using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>A job's state as the public interface has words for: a cancelled one reads as failed, an expired one as completed.</summary>
[JsonConverter(typeof(WordConverter<VideoStatus>))]
public enum VideoStatus
{
    [JsonStringEnumMemberName("queued")]
    Queued,

    [JsonStringEnumMemberName("in_progress")]
    InProgress,

    [JsonStringEnumMemberName("completed")]
    Completed,

    [JsonStringEnumMemberName("failed")]
    Failed,
}
