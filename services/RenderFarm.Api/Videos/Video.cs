using System.Globalization;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Videos;

/// <summary>
/// A job as HTTP shows it: the members of the OpenAI shape are always there, null or not; the farm's own are left out
/// when there is nothing to say.
/// </summary>
internal sealed record Video
{
    public required string Id { get; init; }
    public string Object { get; } = "video";
    public required string Model { get; init; }
    public required VideoStatus Status { get; init; }

    /// <summary>0 to 100.</summary>
    public required int Progress { get; init; }

    /// <summary>Unix seconds, as are all times here.</summary>
    public required long CreatedAt { get; init; }
    public required long? CompletedAt { get; init; }
    public required long? ExpiresAt { get; init; }
    public required string Prompt { get; init; }
    public required string Size { get; init; }
    public required string Seconds { get; init; }
    public required string? RemixedFromVideoId { get; init; }
    public required VideoError? Error { get; init; }

    // The farm's own keys.
    public required RenderStage Stage { get; init; }
    public required int Attempt { get; init; }
    public required int MaxAttempts { get; init; }
    public required int Frames { get; init; }
    public required int Fps { get; init; }
    public required int Steps { get; init; }

    /// <summary>Denoise steps done.</summary>
    public required int Step { get; init; }
    public required double GuidanceScale { get; init; }
    public required double Shift { get; init; }
    public required Sampler Sampler { get; init; }
    public required string NegativePrompt { get; init; }

    /// <summary>As used, also where the request named none.</summary>
    public required long Seed { get; init; }

    /// <summary>As it is planned with, also where the request said nothing.</summary>
    public required Quality Quality { get; init; }
    public required int Priority { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LoraReference>? Loras { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? WebhookUrl { get; init; }

    /// <summary>The id of the worker that has it, or had it last.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Worker { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? BatchId { get; init; }

    /// <summary>1 is next.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? QueuePosition { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? EtaSeconds { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RenderPlan? Plan { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public VideoUsage? Usage { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DownloadUrl { get; init; }

    /// <summary>Something to know of a good result, such as that all frames are black.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }

    /// <summary>Something to know of the request, such as that no worker with its model is there now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Note { get; init; }

    /// <summary>Finds the video's spans and log lines.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceId { get; init; }

    public static Video Of(Job job) =>
        new()
        {
            Id = job.Id,
            Model = job.Spec.Model,
            Status = StatusOf(job.State),
            Progress = RenderProgress.Percent(job),
            CreatedAt = job.CreatedAt.ToUnixTimeSeconds(),
            CompletedAt = job.State is JobState.Completed or JobState.Expired ? job.FinishedAt?.ToUnixTimeSeconds() : null,
            ExpiresAt = job.ExpiresAt?.ToUnixTimeSeconds(),
            Prompt = job.Spec.Prompt,
            Size = new FrameSize(job.Spec.Width, job.Spec.Height).ToString(),
            Seconds = ((double)job.Spec.Frames / job.Spec.Fps).ToString("0.####", CultureInfo.InvariantCulture),
            RemixedFromVideoId = job.RemixedFromId,
            Error = job.Error is { } error ? new VideoError(error.Code, PublicText.Of(error.Message)) : null,
            Stage = job.State is JobState.Completed or JobState.Expired ? RenderStage.Done : job.Stage,
            Attempt = job.Attempt,
            MaxAttempts = job.MaxAttempts,
            Frames = job.Spec.Frames,
            Fps = job.Spec.Fps,
            Steps = job.Spec.Steps,
            // The last step is seldom in a renewal
            Step = job.State is JobState.Completed or JobState.Expired ? job.Spec.Steps : job.Step,
            GuidanceScale = job.Spec.GuidanceScale,
            Shift = job.Spec.Shift,
            Sampler = job.Spec.Sampler,
            NegativePrompt = job.Spec.NegativePrompt,
            Seed = job.Spec.Seed,
            Quality = job.Spec.Quality,
            Priority = job.Priority,
            Loras = job.Spec.Loras.Count > 0 ? job.Spec.Loras : null,
            Metadata = job.Metadata is { Count: > 0 } ? job.Metadata : null,
            WebhookUrl = job.WebhookUrl,
            Worker = job.LatestWorkerId,
            BatchId = job.BatchId,
            Plan = job.LatestLease?.Plan,
            Usage = VideoUsage.Of(job),
            Warning = PublicText.Of(job.Warning),
            TraceId = FarmTraces.IdOf(job.TraceParent),
        };

    /// <summary>What the OpenAI shape has words for. An expired video did complete; a cancelled one reads as failed.</summary>
    public static VideoStatus StatusOf(JobState state) =>
        state switch
        {
            JobState.Queued => VideoStatus.Queued,
            JobState.Leased or JobState.Rendering or JobState.Uploading => VideoStatus.InProgress,
            JobState.Completed or JobState.Expired => VideoStatus.Completed,
            _ => VideoStatus.Failed,
        };
}

internal sealed record VideoError(string Code, string Message);

internal sealed record VideoUsage
{
    public double? QueueSeconds { get; init; }
    public double? LoadSeconds { get; init; }
    public double? StepSeconds { get; init; }
    public double? DecodeSeconds { get; init; }
    public long? PredictedPeakBytes { get; init; }
    public long? PeakBytes { get; init; }
    public string? Gpu { get; init; }

    public static VideoUsage? Of(Job job)
    {
        if (job.StartedAt is null && job.LatestLease is null)
        {
            return null;
        }

        var measured = job.LatestLease?.Measurements;
        return new VideoUsage
        {
            QueueSeconds = job.StartedAt is { } started ? Math.Round((started - job.CreatedAt).TotalSeconds, 3) : null,
            LoadSeconds = measured?.LoadSeconds,
            StepSeconds = measured?.StepSeconds,
            DecodeSeconds = measured?.DecodeSeconds,
            PredictedPeakBytes = measured?.PredictedPeakBytes ?? job.LatestLease?.Plan?.PredictedPeakBytes,
            PeakBytes = measured?.PeakBytes,
            Gpu = measured?.Card,
        };
    }
}

/// <summary>A page. Without <c>has_more</c> and <c>last_id</c> the SDKs stop after the first one.</summary>
/// <param name="LastId">
/// Where to go on: the last video of the page, or, where a filter has found fewer than asked for among those that a page looks at, how far
/// that was.
/// </param>
internal sealed record VideoList(IReadOnlyList<Video> Data, bool HasMore, string? LastId)
{
    public string Object { get; } = "list";
    public string? FirstId => Data.Count > 0 ? Data[0].Id : null;

    public static VideoList Of(JobPage page) => new([.. page.Jobs.Select(job => Video.Of(job))], page.HasMore, page.Last);
}

internal sealed record DeletedVideo(string Id)
{
    public string Object { get; } = "video.deleted";
    public bool Deleted { get; } = true;
}
