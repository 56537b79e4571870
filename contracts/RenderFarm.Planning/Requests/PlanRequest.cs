using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.Requests;

/// <summary>What is to be rendered, as far as memory and time depend on it.</summary>
public sealed record PlanRequest
{
    public required ModelShape Shape { get; init; }

    /// <summary>Pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Pixels.</summary>
    public required int Height { get; init; }

    /// <summary>4n+1.</summary>
    public required int Frames { get; init; }
    public required int Steps { get; init; }

    /// <summary>At 1 or below a step is one forward, above it two.</summary>
    public required double GuidanceScale { get; init; }
    public int Loras { get; init; }

    /// <summary>
    /// Numbers in all that the LoRAs bring to the blocks of one DiT, of the expert that gets more; null where their files are
    /// elsewhere: then each counts as one of rank <see cref="ParameterCounts.TypicalLoraRank"/> on every product.
    /// </summary>
    public long? LoraParameters { get; init; }

    /// <summary>Steps may be left out: what blocks added to the tokens is kept, branch by branch, and branches run apart.</summary>
    public bool StepCache { get; init; }

    /// <summary>A picture to start from: the image encoder (where the model has one) and the VAE's encoder run too.</summary>
    public bool HasImage { get; init; }
    public PlanPins Pins { get; init; } = new();
    public Quality Quality { get; init; }

    /// <summary>What the model's file holds, where somebody looked.</summary>
    public WeightStorage StoredIn { get; init; }

    /// <summary>The request of a job; its spec has every default filled in.</summary>
    public static PlanRequest Of(ModelShape shape, RenderSpec spec, bool hasImage = false) =>
        new()
        {
            Shape = shape,
            Width = spec.Width,
            Height = spec.Height,
            Frames = spec.Frames,
            Steps = spec.Steps,
            GuidanceScale = Math.Max(spec.GuidanceScale, spec.HighNoiseGuidanceScale ?? 0),
            Loras = spec.Loras.Count,
            StepCache = spec.StepCache is not null,
            HasImage = hasImage || shape.NeedsFirstFrame,
            Pins = spec.Plan ?? new(),
            Quality = spec.Quality,
        };

    /// <summary>The model's default video.</summary>
    public static PlanRequest DefaultOf(ModelShape shape) =>
        new()
        {
            Shape = shape,
            Width = shape.Defaults.Width,
            Height = shape.Defaults.Height,
            Frames = shape.Defaults.Frames,
            Steps = shape.Defaults.Steps,
            GuidanceScale = shape.Defaults.GuidanceScale,
            HasImage = shape.NeedsFirstFrame,
        };

    /// <summary>What measurements said of this model on the slot's card.</summary>
    public MeasuredCorrections Corrections { get; init; } = MeasuredCorrections.None;

    internal VideoGeometry Geometry => new(Shape.Vae, Width, Height, Frames);
    internal bool Guided => GuidanceScale > 1;
}
