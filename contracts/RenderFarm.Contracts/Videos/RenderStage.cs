using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>Where a job is, in the order a job goes through it.</summary>
[JsonConverter(typeof(WordConverter<RenderStage>))]
public enum RenderStage
{
    [JsonStringEnumMemberName("queued")]
    Queued,

    [JsonStringEnumMemberName("loading")]
    Loading,

    [JsonStringEnumMemberName("encoding_text")]
    EncodingText,

    [JsonStringEnumMemberName("encoding_image")]
    EncodingImage,

    [JsonStringEnumMemberName("denoising")]
    Denoising,

    [JsonStringEnumMemberName("decoding")]
    Decoding,

    [JsonStringEnumMemberName("encoding_video")]
    EncodingVideo,

    [JsonStringEnumMemberName("uploading")]
    Uploading,

    [JsonStringEnumMemberName("done")]
    Done,
}
