using System.ComponentModel;

namespace RenderFarm.Api.Videos;

/// <summary>
/// The fields of <c>POST /v1/videos</c>, for the description of the interface only: bodies are read by
/// <see cref="VideoRequestReader"/>, which takes multipart too and says what is wrong.
/// </summary>
internal sealed record VideoFields
{
    [Description("What to show; 1 to 32,000 characters.")]
    public required string Prompt { get; init; }

    [Description("A model id or alias; see /v1/models. Default: the farm's.")]
    public string? Model { get; init; }

    [Description("Length in seconds, as a string; rounded to 4n+1 frames.")]
    public string? Seconds { get; init; }

    [Description("WIDTHxHEIGHT in pixels; multiples of 16.")]
    public string? Size { get; init; }

    [Description(
        "A picture to start from: a file part, or {image_url} with an http, https or data URL. JPEG, PNG, WebP, GIF or BMP up to 20 MiB."
    )]
    public PictureLink? InputReference { get; init; }

    [Description("A picture to end on, given in the same way; only with models that take one.")]
    public PictureLink? LastFrame { get; init; }

    [Description("What not to show. Absent: the model's default; empty: none.")]
    public string? NegativePrompt { get; init; }

    [Description("Same seed, same video. Absent: drawn, and told in the reply.")]
    public long? Seed { get; init; }

    [Description("Denoise steps, 1 to 100.")]
    public int? Steps { get; init; }

    [Description("How closely to follow the prompt, 0 to 20.")]
    public double? GuidanceScale { get; init; }

    [Description("Warp of the noise schedule.")]
    public double? Shift { get; init; }

    [Description("unipc, euler or dpm++; distilled for models distilled to few steps.")]
    public Contracts.Models.Sampler? Sampler { get; init; }

    [Description("4n+1, up to 257; wins over seconds.")]
    public int? Frames { get; init; }

    [Description("Frames per second, 1 to 60.")]
    public int? Fps { get; init; }

    [Description("Settings by one name, such as 4-step; see /v1/models. What is given beside it wins.")]
    public string? Preset { get; init; }

    [Description("Leaves out what would change little: {kind: teacache or magcache, threshold}. Absent: every step is computed.")]
    public Contracts.Videos.StepCacheChoice? StepCache { get; init; }

    [Description("LoRAs by name, each with a strength; see /v1/models for those there are.")]
    public IReadOnlyList<Contracts.Videos.LoraReference>? Loras { get; init; }

    [Description("0 to 100, higher first; default 50.")]
    public int? Priority { get; init; }

    [Description("Up to 16 pairs of strings, kept with the video.")]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    [Description("Seconds after which the files are removed.")]
    public long? ExpiresAfter { get; init; }

    [Description(
        "exact: the precision of the model's file, bf16 or the eight bits it is stored in. balanced: eight bits where memory asks for "
            + "them, or a gain over 25 % with a velocity error under 0.06. fast: whatever is fastest, up to 0.10. What plan fixes wins. "
            + "Default: the farm's, balanced unless its operator set another."
    )]
    public Contracts.Videos.Quality? Quality { get; init; }

    [Description(
        "Parts of the render plan to fix; what can't be met is refused with the reason. attention is full or eight-bit: int8 and fp8 "
            + "products in place of bf16, on cards whose calibration ran them correctly. Absent: eight-bit where products are in eight "
            + "bits and it is faster."
    )]
    public Contracts.Plans.PlanPins? Plan { get; init; }

    [Description("Switches for troubleshooting.")]
    public Contracts.Videos.DebugSwitches? Debug { get; init; }

    [Description("How often a failing render is tried, 1 to 10; default 3.")]
    public int? MaxAttempts { get; init; }

    [Description("Where to post lifecycle events.")]
    public string? WebhookUrl { get; init; }
}

/// <summary>A picture by its address; in a multipart body it may be a file part instead.</summary>
internal sealed record PictureLink([property: Description("http, https or data URL.")] string ImageUrl);

internal sealed record RemixFields([property: Description("What to show instead; 1 to 32,000 characters.")] string Prompt);
