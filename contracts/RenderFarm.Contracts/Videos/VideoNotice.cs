using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>What streams show between two <see cref="VideoEvent"/>s. Never stored: who missed one sees the next.</summary>
[JsonConverter(typeof(WordConverter<VideoNotice>))]
public enum VideoNotice
{
    [JsonStringEnumMemberName("video.progress")]
    Progress,

    [JsonStringEnumMemberName("video.preview")]
    Preview,
}
