using System.Text.Json.Serialization;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Events;

/// <summary>The data of <see cref="VideoNotice.Progress"/>.</summary>
internal sealed record VideoProgress
{
    public required string Id { get; init; }
    public VideoNotice Object { get; } = VideoNotice.Progress;
    public required RenderStage Stage { get; init; }

    /// <summary>Denoise steps done, of <see cref="Steps"/>.</summary>
    public required int Step { get; init; }
    public required int Steps { get; init; }

    /// <summary>0 to 100, as the video itself shows it.</summary>
    public required int Progress { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? EtaSeconds { get; init; }

    public static VideoProgress Of(Job job, double? etaSeconds) =>
        new()
        {
            Id = job.Id,
            Stage = job.Stage,
            Step = job.Step,
            Steps = job.Steps > 0 ? job.Steps : job.Spec.Steps,
            Progress = RenderProgress.Percent(job),
            EtaSeconds = RenderProgress.Rounded(etaSeconds),
        };

    /// <summary>The row is as old as its last renewal; the notice is newer.</summary>
    public static Job Applied(Job job, ProgressNotice notice) =>
        job with
        {
            State = notice.Stage >= RenderStage.Uploading ? JobState.Uploading : JobState.Rendering,
            Stage = notice.Stage,
            Step = notice.Step,
            Steps = notice.Steps,
        };
}

/// <summary>The data of <see cref="VideoNotice.Preview"/>: a small picture of what the video is becoming.</summary>
/// <param name="Data">Base64.</param>
internal sealed record VideoPreview(string Id, int Step, string ContentType, byte[] Data)
{
    public VideoNotice Object { get; } = VideoNotice.Preview;
}
