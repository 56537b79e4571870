using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Dashboard.Calls;

/// <summary>A Video as <c>/v1/videos</c> shows it: what the page draws of it.</summary>
public sealed record VideoRecord
{
    /// <summary>The tag that a star is.</summary>
    public const string Star = "star";

    public required string Id { get; init; }
    public required string Model { get; init; }
    public required VideoStatus Status { get; init; }
    public int Progress { get; init; }
    public long CreatedAt { get; init; }
    public long? CompletedAt { get; init; }
    public long? ExpiresAt { get; init; }
    public required string Prompt { get; init; }
    public required string Size { get; init; }
    public required string Seconds { get; init; }
    public string? RemixedFromVideoId { get; init; }
    public VideoErrorRecord? Error { get; init; }
    public RenderStage Stage { get; init; }
    public int Attempt { get; init; }
    public int MaxAttempts { get; init; }
    public int Frames { get; init; }
    public int Fps { get; init; }
    public int Steps { get; init; }
    public int Step { get; init; }
    public double GuidanceScale { get; init; }
    public double Shift { get; init; }
    public string? Sampler { get; init; }
    public string? NegativePrompt { get; init; }
    public long Seed { get; init; }
    public string? Quality { get; init; }
    public int Priority { get; init; }
    public IReadOnlyList<LoraReference> Loras { get; init; } = [];
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
    public string? WebhookUrl { get; init; }
    public int? QueuePosition { get; init; }
    public double? EtaSeconds { get; init; }
    public RenderPlan? Plan { get; init; }
    public VideoUsageRecord? Usage { get; init; }
    public string? Warning { get; init; }
    public string? Note { get; init; }
    public string? Worker { get; init; }
    public string? BatchId { get; init; }
    public string? TraceId { get; init; }

    public bool IsStarred => Metadata.ContainsKey(Star);
    public bool IsOpen => Status is VideoStatus.Queued or VideoStatus.InProgress;
    public bool IsCancelled => Error?.Code == "cancelled";

    /// <summary>Its files are gone.</summary>
    public bool IsExpired(DateTimeOffset now) => Status == VideoStatus.Completed && ExpiresAt <= now.ToUnixTimeSeconds();

    /// <summary>One word of how it stands: also the class that it is drawn with.</summary>
    public string State =>
        Status switch
        {
            VideoStatus.Queued => "waiting",
            VideoStatus.InProgress => "running",
            VideoStatus.Completed => "done",
            _ => IsCancelled ? "cancelled" : "failed",
        };

    public int Width => int.Parse(Size.AsSpan(0, Size.IndexOf('x', StringComparison.Ordinal)), Culture);
    public int Height => int.Parse(Size.AsSpan(Size.IndexOf('x', StringComparison.Ordinal) + 1), Culture);

    public string Content(string variant) => $"/v1/videos/{Id}/content{(variant == "video" ? "" : "?variant=" + variant)}";

    private static readonly System.Globalization.CultureInfo Culture = System.Globalization.CultureInfo.InvariantCulture;
}

public sealed record VideoErrorRecord(string Code, string Message);

public sealed record VideoUsageRecord
{
    public double? QueueSeconds { get; init; }
    public double? LoadSeconds { get; init; }
    public double? StepSeconds { get; init; }
    public double? DecodeSeconds { get; init; }
    public double? GpuSeconds { get; init; }
    public long? PredictedPeakBytes { get; init; }
    public long? PeakBytes { get; init; }
    public string? Gpu { get; init; }
}

/// <summary>A page of anything.</summary>
public sealed record ListRecord<T>(IReadOnlyList<T> Data, string? FirstId, string? LastId, bool HasMore);

/// <summary>One lease of a video.</summary>
public sealed record AttemptRecord
{
    public int Number { get; init; }
    public required string Worker { get; init; }
    public required string Slot { get; init; }
    public int StepDowns { get; init; }
    public long LeasedAt { get; init; }
    public long? EndedAt { get; init; }
    public required string Outcome { get; init; }
    public VideoErrorRecord? Error { get; init; }
    public double? RetryAfterSeconds { get; init; }
    public RenderPlan? Plan { get; init; }
    public Measurements? Measurements { get; init; }
    public string? LogTail { get; init; }
}
