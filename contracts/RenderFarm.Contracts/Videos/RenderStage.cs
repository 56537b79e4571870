using System.Text.Json.Serialization;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Contracts.Videos;

/// <summary>Where a job is, in the order a job goes through it.</summary>
[JsonConverter(typeof(SnakeCaseEnum<RenderStage>))]
public enum RenderStage
{
    Queued,
    Loading,
    EncodingText,
    EncodingImage,
    Denoising,
    Decoding,
    EncodingVideo,
    Uploading,
    Done,
}
