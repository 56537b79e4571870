using RenderFarm.Contracts.Models;

namespace RenderFarm.Planning.Models;

/// <summary>
/// The one table of sizes: the published checkpoints, and <c>demo</c> and <c>small</c>, which two CPU cores render in seconds.
/// For tests there is a tiny relative of each kind in <see cref="TinyShapes"/>.
/// </summary>
public static class ModelShapes
{
    private const int Area480 = 832 * 480;
    private const int Area720 = 1280 * 720;

    // A token of the demo model is 2 × 2 of them, and its noise has to fit through the DiT's width with room to spare: half of it
    private const int DemoLatentChannels = 24;

    /// <summary>For models distilled to four steps, as files of their own or as LoRAs.</summary>
    private static RenderPreset FourSteps { get; } = new("4-step", Steps: 4, GuidanceScale: 1, Shift: 5, Sampler: Sampler.Distilled)
    {
        Note = "for a checkpoint distilled to four steps, or with a LoRA that distils it: name it in 'loras'",
    };

    public static TextEncoderShape Umt5Xxl { get; } =
        new() { Vocabulary = 256_384, Dim = 4096, AttentionDim = 4096, FfnDim = 10_240, Heads = 64, Layers = 24 };

    /// <summary>open-clip ViT-H/14.</summary>
    public static ImageEncoderShape ClipVitHuge { get; } =
        new() { ImageSize = 224, PatchSize = 14, Dim = 1280, FfnDim = 5120, Heads = 16, Layers = 32, OutDim = 1024 };

    public static VaeShape Vae21 { get; } = Vae21OfWidth(96);

    public static VaeShape Vae22 { get; } = new()
    {
        Kind = VaeKind.Wan22, Dim = 160, DecoderDim = 256, LatentChannels = 48,
        LatentMean = LatentStatistics.Mean22, LatentStd = LatentStatistics.Std22,
    };

    public static ModelShape T2v1Point3B { get; } = new()
    {
        Id = "t2v-1-3b",
        Transformer = new() { Dim = 1536, FfnDim = 8960, Heads = 12, Layers = 30, InChannels = 16, OutChannels = 16 },
        TextEncoder = Umt5Xxl,
        Vae = Vae21,
        Defaults = new()
        {
            Width = 832, Height = 480, Frames = 81, Fps = 16, Steps = 50, GuidanceScale = 5, Shift = 5,
            MaxArea = Area480, NegativePrompt = NegativePrompts.Base,
        },
    };

    public static ModelShape T2v14B { get; } = new()
    {
        Id = "t2v-14b",
        Transformer = Transformer14B(inChannels: 16),
        TextEncoder = Umt5Xxl,
        Vae = Vae21,
        Presets = [FourSteps],
        Defaults = new()
        {
            Width = 832, Height = 480, Frames = 81, Fps = 16, Steps = 50, GuidanceScale = 5, Shift = 5,
            MaxArea = Area720, NegativePrompt = NegativePrompts.Base,
        },
    };

    public static ModelShape I2v14B480 { get; } = new()
    {
        Id = "i2v-14b-480p",
        Transformer = Transformer14B(inChannels: 36) with { ImageBranch = ImageBranch.Clip },
        TextEncoder = Umt5Xxl,
        Vae = Vae21,
        ImageEncoder = ClipVitHuge,
        Pictures = PictureConditioning.Channels,
        Presets = [FourSteps],
        Defaults = new()
        {
            Width = 832, Height = 480, Frames = 81, Fps = 16, Steps = 40, GuidanceScale = 5, Shift = 3,
            MaxArea = Area480, NegativePrompt = NegativePrompts.ImageToVideo,
        },
    };

    public static ModelShape I2v14B720 { get; } = I2v14B480 with
    {
        Id = "i2v-14b-720p",
        Defaults = I2v14B480.Defaults with { Width = 1280, Height = 720, Shift = 5, SmallShift = new(Area480, 3), MaxArea = Area720 },
    };

    public static ModelShape Flf2v14B { get; } = new()
    {
        Id = "flf2v-14b",
        Transformer = Transformer14B(inChannels: 36) with { ImageBranch = ImageBranch.ClipFirstLast },
        TextEncoder = Umt5Xxl,
        Vae = Vae21,
        ImageEncoder = ClipVitHuge,
        Pictures = PictureConditioning.Channels,
        Defaults = new()
        {
            Width = 1280, Height = 720, Frames = 81, Fps = 16, Steps = 50, GuidanceScale = 5, Shift = 16,
            MaxArea = Area720, NegativePrompt = NegativePrompts.FirstLastFrame,
        },
    };

    public static ModelShape T2vA14B { get; } = new()
    {
        Id = "t2v-a14b",
        Transformer = Transformer14B(inChannels: 16),
        TextEncoder = Umt5Xxl,
        Vae = Vae21,
        Experts = 2,
        Boundary = 0.875,
        Presets = [FourSteps with { BoundaryStep = 2 }],
        Defaults = new()
        {
            Width = 832, Height = 480, Frames = 81, Fps = 16, Steps = 40, GuidanceScale = 3, HighNoiseGuidanceScale = 4, Shift = 12,
            MaxArea = Area720, NegativePrompt = NegativePrompts.Base,
        },
    };

    public static ModelShape I2vA14B { get; } = new()
    {
        Id = "i2v-a14b",
        Transformer = Transformer14B(inChannels: 36),
        TextEncoder = Umt5Xxl,
        Vae = Vae21,
        Experts = 2,
        Boundary = 0.9,
        Presets = [FourSteps with { BoundaryStep = 2, LastFrameShift = 16 }],
        Pictures = PictureConditioning.Channels,
        Defaults = new()
        {
            Width = 832, Height = 480, Frames = 81, Fps = 16, Steps = 40, GuidanceScale = 3.5, Shift = 5,
            MaxArea = Area720, NegativePrompt = NegativePrompts.Base,
        },
    };

    public static ModelShape Ti2v5B { get; } = new()
    {
        Id = "ti2v-5b",
        Transformer = new() { Dim = 3072, FfnDim = 14_336, Heads = 24, Layers = 30, InChannels = 48, OutChannels = 48 },
        TextEncoder = Umt5Xxl,
        Vae = Vae22,
        Pictures = PictureConditioning.FirstLatentFrame,
        Defaults = new()
        {
            Width = 1280, Height = 704, Frames = 121, Fps = 24, Steps = 50, GuidanceScale = 5, Shift = 5,
            MaxArea = 1280 * 704, SizeMultiple = 32, NegativePrompt = NegativePrompts.Base,
        },
    };

    /// <summary>
    /// The model that comes with the farm, in the form of TI2V: its VAE works on 2 × 2 pixels at once and has paths around its
    /// convolutions, and a DiT on its latents has a quarter of the tokens that one on 2.1's has. 11.7 MB in float16.
    /// </summary>
    public static ModelShape Demo { get; } = new()
    {
        Id = "demo",
        Transformer = new()
        {
            // Rows behind a prompt are attended to as well, so that a longer text length dilutes what is said
            Dim = 192, FfnDim = 512, Heads = 3, Layers = 6, InChannels = DemoLatentChannels, OutChannels = DemoLatentChannels,
            TextDim = 128, TextLength = 32,
        },
        TextEncoder = new() { Vocabulary = 1024, Dim = 128, AttentionDim = 128, FfnDim = 256, Heads = 4, Layers = 2 },
        Vae = Vae22 with
        {
            Dim = 8,
            DecoderDim = 16,
            DimMultipliers = [1, 2, 4, 4],
            ResidualBlocks = 1,
            LatentChannels = DemoLatentChannels,
            LatentMean = [.. Enumerable.Repeat(0f, DemoLatentChannels)],
            LatentStd = [.. Enumerable.Repeat(1f, DemoLatentChannels)],
        },
        Pictures = PictureConditioning.FirstLatentFrame,
        Defaults = new()
        {
            Width = 128, Height = 96, Frames = 13, Fps = 8, Steps = 16, GuidanceScale = 4, Shift = 4, SizeMultiple = 32,
            MaxArea = 640 * 384,
        },
    };

    /// <summary>Random weights for a CPU that are worth some seconds.</summary>
    public static ModelShape Small { get; } = new()
    {
        Id = "small",
        Transformer = new()
        {
            Dim = 192, FfnDim = 768, Heads = 3, Layers = 6, InChannels = 16, OutChannels = 16, TextDim = 128, TextLength = 128,
        },
        TextEncoder = new() { Vocabulary = 2048, Dim = 128, AttentionDim = 128, FfnDim = 320, Heads = 4, Layers = 3 },
        Vae = Vae21OfWidth(16),
        Defaults = new()
        {
            Width = 208, Height = 128, Frames = 25, Fps = 16, Steps = 8, GuidanceScale = 3, Shift = 3, MaxArea = 640 * 384,
        },
    };

    public static IReadOnlyList<ModelShape> All { get; } =
        [T2v1Point3B, T2v14B, I2v14B480, I2v14B720, Flf2v14B, T2vA14B, I2vA14B, Ti2v5B, Demo, Small, .. TinyShapes.All];

    /// <summary>The preset of this id, or null.</summary>
    public static ModelShape? Find(string id) => All.FirstOrDefault(shape => shape.Id == id);

    /// <summary>Like <see cref="Find"/>.</summary>
    /// <exception cref="ArgumentException">No preset has this id; the message lists those there are.</exception>
    public static ModelShape Get(string id) => Find(id)
        ?? throw new ArgumentException(
            $"There is no model preset '{id}'. Presets: {string.Join(", ", All.Select(shape => shape.Id))}.", nameof(id));

    public static ModelShape Tiny => TinyShapes.TextToVideo;

    private static TransformerShape Transformer14B(int inChannels) =>
        new() { Dim = 5120, FfnDim = 13_824, Heads = 40, Layers = 40, InChannels = inChannels, OutChannels = 16 };

    private static VaeShape Vae21OfWidth(int dim) => new()
    {
        Kind = VaeKind.Wan21, Dim = dim, DecoderDim = dim, LatentChannels = 16,
        LatentMean = LatentStatistics.Mean21, LatentStd = LatentStatistics.Std21,
    };
}
