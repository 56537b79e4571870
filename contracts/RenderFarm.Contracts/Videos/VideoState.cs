using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>
/// What a list of videos can be asked for: <see cref="VideoStatus"/>, with those apart that were cancelled (they read as failed) and those
/// whose files are gone (they read as completed).
/// </summary>
[JsonConverter(typeof(WordConverter<VideoState>))]
public enum VideoState
{
    [JsonStringEnumMemberName("queued")]
    Queued,

    [JsonStringEnumMemberName("in_progress")]
    InProgress,

    [JsonStringEnumMemberName("completed")]
    Completed,

    [JsonStringEnumMemberName("failed")]
    Failed,

    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    [JsonStringEnumMemberName("expired")]
    Expired,
}
