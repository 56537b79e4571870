using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>What a video's life is told in: stored in order, and sent to streams, webhooks and the broker.</summary>
[JsonConverter(typeof(WordConverter<VideoEvent>))]
public enum VideoEvent
{
    [JsonStringEnumMemberName("video.queued")]
    Queued,

    [JsonStringEnumMemberName("video.started")]
    Started,

    [JsonStringEnumMemberName("video.completed")]
    Completed,

    [JsonStringEnumMemberName("video.failed")]
    Failed,

    [JsonStringEnumMemberName("video.cancelled")]
    Cancelled,

    [JsonStringEnumMemberName("video.expired")]
    Expired,
}
