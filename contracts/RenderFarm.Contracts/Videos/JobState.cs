using System.Text.Json.Serialization;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Contracts.Videos;

/// <summary>The life of a job: queued → leased → rendering → uploading → completed, and the other endings.</summary>
[JsonConverter(typeof(SnakeCaseEnum<JobState>))]
public enum JobState
{
    Queued,
    Leased,
    Rendering,
    Uploading,
    Completed,
    Cancelled,
    Failed,

    /// <summary>Artifacts removed, record kept.</summary>
    Expired,
}
