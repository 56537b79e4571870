using RenderFarm.Contracts.Models;

namespace RenderFarm.Planning.Models;

/// <summary>One model of every kind, small enough for tests that render whole videos.</summary>
public static class TinyShapes
{
    public static ModelShape TextToVideo { get; } =
        new()
        {
            Id = "tiny",
            Transformer = new()
            {
                Dim = 64,
                FfnDim = 128,
                Heads = 2,
                Layers = 2,
                InChannels = 16,
                OutChannels = 16,
                TextDim = 32,
                TextLength = 64,
                FrequencyDim = 64,
            },
            TextEncoder = new()
            {
                Vocabulary = 2048,
                Dim = 32,
                AttentionDim = 32,
                FfnDim = 64,
                Heads = 4,
                Layers = 2,
            },
            Vae = new()
            {
                Kind = VaeKind.Wan21,
                Dim = 8,
                DecoderDim = 8,
                LatentChannels = 16,
                LatentMean = LatentStatistics.Mean21,
                LatentStd = LatentStatistics.Std21,
            },
            Defaults = new()
            {
                Width = 64,
                Height = 48,
                Frames = 5,
                Fps = 8,
                Steps = 2,
                GuidanceScale = 3,
                Shift = 3,
                MaxArea = 320 * 192,
            },
        };

    /// <summary>Like 2.1 I2V. The image branch counts on 512 text tokens.</summary>
    public static ModelShape ImageToVideo { get; } =
        TextToVideo with
        {
            Id = "tiny-i2v",
            Transformer = TextToVideo.Transformer with
            {
                InChannels = 36,
                TextLength = 512,
                ImageBranch = ImageBranch.Clip,
                ImageDim = 32,
                ImageTokens = 17,
            },
            ImageEncoder = new()
            {
                ImageSize = 56,
                PatchSize = 14,
                Dim = 32,
                FfnDim = 64,
                Heads = 2,
                Layers = 3,
                OutDim = 16,
            },
            Pictures = PictureConditioning.Channels,
        };

    /// <summary>Like 2.1 FLF2V.</summary>
    public static ModelShape FirstAndLastFrame { get; } =
        ImageToVideo with
        {
            Id = "tiny-flf2v",
            Transformer = ImageToVideo.Transformer with { ImageBranch = ImageBranch.ClipFirstLast },
        };

    /// <summary>Like 2.2 T2V-A14B.</summary>
    public static ModelShape TwoExperts { get; } =
        TextToVideo with
        {
            Id = "tiny-t2v-experts",
            Experts = 2,
            Boundary = 0.875,
            Defaults = TextToVideo.Defaults with { Steps = 3, HighNoiseGuidanceScale = 4 },
        };

    /// <summary>Like 2.2 I2V-A14B.</summary>
    public static ModelShape ImageTwoExperts { get; } =
        TwoExperts with
        {
            Id = "tiny-i2v-experts",
            Boundary = 0.9,
            Transformer = TextToVideo.Transformer with { InChannels = 36 },
            Pictures = PictureConditioning.Channels,
        };

    /// <summary>Like 2.2 TI2V-5B.</summary>
    public static ModelShape TextOrImage { get; } =
        TextToVideo with
        {
            Id = "tiny-ti2v",
            Transformer = TextToVideo.Transformer with { InChannels = 48, OutChannels = 48 },
            Vae = new()
            {
                Kind = VaeKind.Wan22,
                Dim = 8,
                DecoderDim = 12,
                LatentChannels = 48,
                LatentMean = LatentStatistics.Mean22,
                LatentStd = LatentStatistics.Std22,
            },
            Defaults = TextToVideo.Defaults with { Width = 96, Height = 64, SizeMultiple = 32 },
            Pictures = PictureConditioning.FirstLatentFrame,
        };

    public static IReadOnlyList<ModelShape> All { get; } =
    [TextToVideo, ImageToVideo, FirstAndLastFrame, TwoExperts, ImageTwoExperts, TextOrImage];
}
