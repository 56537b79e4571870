namespace RenderFarm.Contracts.Models;

/// <summary>Settings that belong together, asked for by one name. What a request gives itself wins over them.</summary>
public sealed record RenderPreset(string Name, int Steps, double GuidanceScale, double Shift, Sampler Sampler)
{
    /// <summary>The first step of the low-noise expert, from 0; null: by the model's boundary.</summary>
    public int? BoundaryStep { get; init; }

    /// <summary>The shift where a last frame is given, if it is another.</summary>
    public double? LastFrameShift { get; init; }

    /// <summary>What has to be asked for besides, in words.</summary>
    public string? Note { get; init; }
}
