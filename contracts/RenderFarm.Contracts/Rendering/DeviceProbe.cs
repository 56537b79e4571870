using RenderFarm.Contracts.Plans;

namespace RenderFarm.Contracts.Rendering;

/// <summary>
/// What a renderer says of its device at a worker's start, some two seconds after it was asked: which it is, and what it gets right
/// there. How fast it is takes longer, and an idle device.
/// </summary>
public sealed record DeviceProbe
{
    public required CalibrationSubject Subject { get; init; }

    /// <summary>Why no job can run on it with this libtorch, and what to do; null when jobs can.</summary>
    public string? Fault { get; init; }

    /// <summary>Why fp8 products can't be used; null when they ran correctly.</summary>
    public string? Fp8Fault { get; init; }

    /// <summary>Why int8 products can't be used; null when they ran correctly.</summary>
    public string? Int8Fault { get; init; }

    /// <summary>Why eight-bit attention can't be used; null when it ran correctly.</summary>
    public string? EightBitAttentionFault { get; init; }

    /// <summary>How things are done that a platform may lack; none on a processor.</summary>
    public IReadOnlyList<PlatformWay> Ways { get; set; } = [];
}
