using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Cli.Http;

/// <summary>A video as the API shows it; the members that this program prints or waits for.</summary>
internal sealed record Video
{
    public required string Id { get; init; }
    public required VideoStatus Status { get; init; }
    public string Model { get; init; } = "";
    public string Prompt { get; init; } = "";
    public string Size { get; init; } = "";
    public string Seconds { get; init; } = "";
    public int Progress { get; init; }
    public long CreatedAt { get; init; }
    public long? CompletedAt { get; init; }
    public string Stage { get; init; } = Word.Of(RenderStage.Queued);
    public int Step { get; init; }
    public int Steps { get; init; }
    public int Frames { get; init; }
    public int Fps { get; init; }
    public int Attempt { get; init; }
    public long Seed { get; init; }
    public int? QueuePosition { get; init; }
    public double? EtaSeconds { get; init; }
    public string? Note { get; init; }
    public string? Warning { get; init; }
    public VideoError? Error { get; init; }

    /// <summary>The id of the worker that has it, or had it last.</summary>
    public string? Worker { get; init; }
    public VideoUse? Usage { get; init; }

    public bool IsOver => Status is VideoStatus.Completed or VideoStatus.Failed;
}

internal sealed record VideoError(string Code, string Message);

internal sealed record VideoUse(double? QueueSeconds);

/// <summary>The error object in the API's error body.</summary>
internal sealed record ErrorBody(ErrorDetail? Error);

/// <param name="Lines">Of a refused batch: what is wrong with each line, the first hundred.</param>
internal sealed record ErrorDetail(string Message, string Code, string? Param, IReadOnlyList<LineFault>? Lines = null);

/// <summary>What is asked for. Null is left to the model's defaults.</summary>
internal sealed record VideoRequest
{
    public required string Prompt { get; init; }
    public string? Model { get; init; }
    public string? Size { get; init; }
    public int? Frames { get; init; }
    public int? Fps { get; init; }
    public int? Steps { get; init; }
    public long? Seed { get; init; }
    public double? GuidanceScale { get; init; }
    public double? Shift { get; init; }
    public string? Sampler { get; init; }
    public string? NegativePrompt { get; init; }
    public int? Priority { get; init; }
    public string? Seconds { get; init; }
    public PictureLink? InputReference { get; init; }
    public PictureLink? LastFrame { get; init; }
    public IReadOnlyList<LoraChoice>? Loras { get; init; }
    public string? Preset { get; init; }
    public StepCacheChoice? StepCache { get; init; }
    public string? Quality { get; init; }
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
    public string? WebhookUrl { get; init; }
    public long? ExpiresAfter { get; init; }
    public int? MaxAttempts { get; init; }
}

internal sealed record PictureLink(string ImageUrl);

internal sealed record LoraChoice(string Name, double? Strength);

internal sealed record StepCacheChoice(string Kind);
