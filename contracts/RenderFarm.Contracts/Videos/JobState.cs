using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Videos;

/// <summary>The life of a job: queued → leased → rendering → uploading → completed, and the other endings.</summary>
[JsonConverter(typeof(WordConverter<JobState>))]
public enum JobState
{
    [JsonStringEnumMemberName("queued")]
    Queued,

    [JsonStringEnumMemberName("leased")]
    Leased,

    [JsonStringEnumMemberName("rendering")]
    Rendering,

    [JsonStringEnumMemberName("uploading")]
    Uploading,

    [JsonStringEnumMemberName("completed")]
    Completed,

    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>Artifacts removed, record kept.</summary>
    [JsonStringEnumMemberName("expired")]
    Expired,
}
