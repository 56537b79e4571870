using System.Text.Json.Serialization;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Contracts.Videos;

[JsonConverter(typeof(SnakeCaseEnum<ArtifactKind>))]
public enum ArtifactKind
{
    Video,
    Thumbnail,
    Spritesheet,
}

/// <summary>A stored output. <paramref name="Key"/> carries the fence: <c>videos/{id}/{fence}/video.mp4</c>.</summary>
public sealed record Artifact(ArtifactKind Kind, string Key, string ContentType, long SizeBytes, string Sha256);
