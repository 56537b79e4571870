using RenderFarm.Api.Inputs;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Videos;

/// <summary>
/// What a client asked for: one shape for JSON, multipart and the queue. Null means the client said nothing.
/// Each value alone is in bounds already; what depends on the model is <see cref="RenderSpecs"/>'s business.
/// </summary>
internal sealed record VideoRequest
{
    public required string Prompt { get; init; }
    public string? Model { get; init; }
    public double? Seconds { get; init; }
    public FrameSize? Size { get; init; }
    public InputReference? InputReference { get; init; }

    /// <summary>The picture to end on.</summary>
    public InputReference? LastFrame { get; init; }
    public string? NegativePrompt { get; init; }
    public long? Seed { get; init; }
    public int? Steps { get; init; }
    public double? GuidanceScale { get; init; }
    public double? Shift { get; init; }
    public Sampler? Sampler { get; init; }
    public int? Frames { get; init; }
    public int? Fps { get; init; }
    public string? Preset { get; init; }
    public StepCacheChoice? StepCache { get; init; }
    public IReadOnlyList<LoraReference> Loras { get; init; } = [];
    public int? Priority { get; init; }
    public string? WebhookUrl { get; init; }
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
    public TimeSpan? ExpiresAfter { get; init; }
    public Quality? Quality { get; init; }
    public PlanPins? Plan { get; init; }
    public DebugSwitches? Debug { get; init; }
    public int? MaxAttempts { get; init; }

    public bool HasPictures => InputReference is not null || LastFrame is not null;
}

/// <summary>Width and height in pixels.</summary>
internal readonly record struct FrameSize(int Width, int Height)
{
    public long Area => (long)Width * Height;

    public override string ToString() => FormattableString.Invariant($"{Width}x{Height}");
}
