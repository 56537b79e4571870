using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Contracts.Videos;

/// <summary>
/// What is to be rendered, with every default filled in at submit: two renders of equal specs with the same
/// precision on the same kind of card give the same frames.
/// </summary>
public sealed record RenderSpec
{
    public required string Model { get; init; }
    public required string Prompt { get; init; }

    /// <summary>Empty means none; the model's default has been filled in already.</summary>
    public string NegativePrompt { get; set; } = "";

    /// <summary>Pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Always 4n+1.</summary>
    public required int Frames { get; init; }
    public required int Fps { get; init; }
    public required int Steps { get; init; }
    public required double GuidanceScale { get; init; }

    /// <summary>Of the high-noise expert, where it differs from <see cref="GuidanceScale"/>.</summary>
    public double? HighNoiseGuidanceScale { get; init; }
    public required double Shift { get; init; }

    /// <summary>The first step of the low-noise expert, counted from 0; null: by the model's boundary.</summary>
    public int? BoundaryStep { get; init; }

    public Sampler Sampler { get; set; } = Sampler.UniPc;
    public required long Seed { get; init; }
    public IReadOnlyList<LoraReference> Loras { get; set; } = [];

    /// <summary>Null computes every step.</summary>
    public StepCacheChoice? StepCache { get; init; }

    /// <summary>How far a plan may go from the precision of the model's file.</summary>
    public Quality Quality { get; init; }

    /// <summary>Parts of the render plan that the caller pinned.</summary>
    public PlanPins? Plan { get; init; }
    public DebugSwitches? Debug { get; init; }
}

public sealed record LoraReference(string Name, double Strength = 1.0);

/// <summary>Troubles known from the field, one switch away.</summary>
public sealed record DebugSwitches
{
    /// <summary>Every kernel is waited for, so that a fault is reported where it happened.</summary>
    public bool CudaLaunchBlocking { get; init; }

    /// <summary>Streamed blocks are copied in turn with computing instead of beside it.</summary>
    public bool SynchronousCopies { get; init; }

    /// <summary>The renderer treats its device as having no more memory than this, and runs out of it accordingly.</summary>
    public long? DeviceMemoryBytes { get; init; }
}
