using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Models;

[JsonConverter(typeof(WordConverter<ImageBranch>))]
public enum ImageBranch
{
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>The tokens of one picture (2.1 image to video).</summary>
    [JsonStringEnumMemberName("clip")]
    Clip,

    /// <summary>The tokens of two pictures, with learned positions (2.1 first and last frame).</summary>
    [JsonStringEnumMemberName("clip_first_last")]
    ClipFirstLast,
}

/// <summary>How a model takes pictures.</summary>
[JsonConverter(typeof(WordConverter<PictureConditioning>))]
public enum PictureConditioning
{
    /// <summary>Text only.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>
    /// A mask and the latent of the given frames in input channels of their own: a first frame is required, a last one possible.
    /// </summary>
    [JsonStringEnumMemberName("channels")]
    Channels,

    /// <summary>The first latent frame is the picture's, at timestep 0: a first frame is possible.</summary>
    [JsonStringEnumMemberName("first_latent_frame")]
    FirstLatentFrame,
}

/// <summary>Sizes of a Wan DiT.</summary>
public sealed record TransformerShape
{
    public required int Dim { get; init; }
    public required int FfnDim { get; init; }
    public required int Heads { get; init; }
    public required int Layers { get; init; }
    public required int InChannels { get; init; }
    public required int OutChannels { get; init; }
    public int TextDim { get; set; } = 4096;
    public int TextLength { get; set; } = 512;
    public int FrequencyDim { get; set; } = 256;
    public double Epsilon { get; set; } = 1e-6;
    public ImageBranch ImageBranch { get; init; }

    /// <summary>Width of a picture's features, and how many each picture has; with an image branch only.</summary>
    public int ImageDim { get; set; } = 1280;
    public int ImageTokens { get; set; } = 257;

    [JsonIgnore]
    public int HeadDim => Dim / Heads;
}

/// <summary>Sizes of a UMT5 encoder.</summary>
public sealed record TextEncoderShape
{
    public required int Vocabulary { get; init; }
    public required int Dim { get; init; }
    public required int AttentionDim { get; init; }
    public required int FfnDim { get; init; }
    public required int Heads { get; init; }
    public required int Layers { get; init; }
    public int Buckets { get; set; } = 32;
}

/// <summary>Sizes of a CLIP vision tower (2.1 image to video only).</summary>
public sealed record ImageEncoderShape
{
    public required int ImageSize { get; init; }
    public required int PatchSize { get; init; }
    public required int Dim { get; init; }
    public required int FfnDim { get; init; }
    public required int Heads { get; init; }

    /// <summary>Blocks in the file; the last one is not run.</summary>
    public required int Layers { get; init; }
    public required int OutDim { get; init; }

    /// <summary>One class token and one per patch.</summary>
    [JsonIgnore]
    public int Tokens => 1 + (ImageSize / PatchSize * (ImageSize / PatchSize));
}

[JsonConverter(typeof(WordConverter<VaeKind>))]
public enum VaeKind
{
    /// <summary>Stride 4 × 8 × 8.</summary>
    [JsonStringEnumMemberName("wan21")]
    Wan21,

    /// <summary>Stride 4 × 16 × 16, residual down and up paths, 2 × 2 patches.</summary>
    [JsonStringEnumMemberName("wan22")]
    Wan22,
}

/// <summary>Sizes of a causal 3D VAE.</summary>
public sealed record VaeShape
{
    public required VaeKind Kind { get; init; }

    /// <summary>Base width of the encoder.</summary>
    public required int Dim { get; init; }

    /// <summary>Base width of the decoder; the same as <see cref="Dim"/> in 2.1.</summary>
    public required int DecoderDim { get; init; }
    public required int LatentChannels { get; init; }
    public IReadOnlyList<int> DimMultipliers { get; set; } = [1, 2, 4, 4];
    public int ResidualBlocks { get; set; } = 2;
    public IReadOnlyList<bool> TemporalDownsample { get; set; } = [false, true, true];

    /// <summary>Per-channel mean of latents as the DiT sees them: (z − mean) / std.</summary>
    public required IReadOnlyList<float> LatentMean { get; init; }
    public required IReadOnlyList<float> LatentStd { get; init; }

    [JsonIgnore]
    public int SpatialStride => Kind == VaeKind.Wan21 ? 8 : 16;
    public const int TemporalStride = 4;
}

/// <summary>What is filled in where a request is silent, and what it may ask for.</summary>
public sealed record ModelDefaults
{
    public required int Width { get; init; }
    public required int Height { get; init; }
    public required int Frames { get; init; }
    public required int Fps { get; init; }
    public required int Steps { get; init; }
    public required double GuidanceScale { get; init; }

    /// <summary>Of the high-noise expert, where it differs from <see cref="GuidanceScale"/>.</summary>
    public double? HighNoiseGuidanceScale { get; init; }
    public required double Shift { get; init; }

    /// <summary>Of small videos, where it differs from <see cref="Shift"/>.</summary>
    public SmallShift? SmallShift { get; init; }

    public Sampler Sampler { get; set; } = Sampler.UniPc;
    public string NegativePrompt { get; set; } = "";

    /// <summary>Largest width × height, before the ten percent of grace.</summary>
    public required int MaxArea { get; init; }

    /// <summary>Both sides are multiples of this.</summary>
    public int SizeMultiple { get; set; } = 16;

    /// <summary>For videos of this size.</summary>
    public double ShiftOf(int width, int height) =>
        SmallShift is { } small && (long)width * height <= small.MostPixels ? small.Shift : Shift;
}

/// <param name="MostPixels">Width × height up to which it holds.</param>
public sealed record SmallShift(int MostPixels, double Shift);

/// <summary>Every size of one model; nothing else in the farm holds a size.</summary>
public sealed record ModelShape
{
    /// <summary>Without dots: it is part of routing keys. <c>t2v-14b</c>.</summary>
    public required string Id { get; init; }
    public required TransformerShape Transformer { get; init; }
    public required TextEncoderShape TextEncoder { get; init; }
    public required VaeShape Vae { get; init; }

    /// <summary>Null for models without an image branch.</summary>
    public ImageEncoderShape? ImageEncoder { get; init; }
    public required ModelDefaults Defaults { get; init; }
    public PictureConditioning Pictures { get; init; }
    public IReadOnlyList<RenderPreset> Presets { get; set; } = [];

    /// <summary>Nothing can be rendered without a picture to start from.</summary>
    [JsonIgnore]
    public bool NeedsFirstFrame => Pictures == PictureConditioning.Channels;

    /// <summary>Trained on first and last frame together.</summary>
    [JsonIgnore]
    public bool NeedsLastFrame => Transformer.ImageBranch == ImageBranch.ClipFirstLast;

    [JsonIgnore]
    public bool TakesFirstFrame => Pictures != PictureConditioning.None;

    [JsonIgnore]
    public bool TakesLastFrame => Pictures == PictureConditioning.Channels;

    /// <summary>2 for the A14B models: a high-noise and a low-noise DiT of the same shape.</summary>
    public int Experts { get; set; } = 1;

    /// <summary>Fraction of the timestep range at which the experts change over.</summary>
    public double? Boundary { get; init; }
}
