using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

[JsonConverter(typeof(WordConverter<ArtifactKind>))]
public enum ArtifactKind
{
    [JsonStringEnumMemberName("video")]
    Video,

    [JsonStringEnumMemberName("thumbnail")]
    Thumbnail,

    [JsonStringEnumMemberName("spritesheet")]
    Spritesheet,
}

/// <summary>A stored output. <paramref name="Key"/> names the lease: <c>videos/{id}/{fence}-{digest of its token}/video.mp4</c>.</summary>
public sealed record Artifact(ArtifactKind Kind, string Key, string ContentType, long SizeBytes, string Sha256);
