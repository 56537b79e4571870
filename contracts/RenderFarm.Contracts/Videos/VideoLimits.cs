using RenderFarm.Contracts.Models;

namespace RenderFarm.Contracts.Videos;

/// <summary>What a video of any model may ask for; area and grid are the model's own.</summary>
public static class VideoLimits
{
    /// <summary>4n+1.</summary>
    public const int MaxFrames = 257;
    public const int MaxSteps = 100;
    public const double MaxGuidanceScale = 20;
    public const int MaxLoras = 8;

    /// <summary>Videos of one batch.</summary>
    public const int MostInBatch = 10_000;

    /// <summary>Rows of the rotary table per axis, in patches of 16 pixels; x264 ends at the same figure.</summary>
    public const int MaxSide = 1024 * 16;

    /// <summary>Largest excess over a model's area that is still accepted.</summary>
    private const double AreaGrace = 1.1;

    /// <summary>Pixels of the largest accepted frame.</summary>
    public static double MostPixels(ModelDefaults model) => model.MaxArea * AreaGrace;

    /// <summary>What is wrong with this size for this model; null when nothing is.</summary>
    public static string? SizeFault(int width, int height, ModelDefaults model) =>
        width % model.SizeMultiple != 0 || height % model.SizeMultiple != 0 ? $"both sides must be multiples of {model.SizeMultiple}"
        : (long)width * height > MostPixels(model) ? $"this model renders at most {model.MaxArea} pixels a frame"
        : Math.Max(width, height) > MaxSide ? $"a side has at most {MaxSide} pixels"
        : null;
}
