using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Stages;

/// <summary>What every stage of one planning needs to know.</summary>
/// <remarks>
/// Where figures of the planner come from: named files lie in <c>tests/RenderFarm.Benchmarks/results</c>; "counted" follows from
/// what the engine allocates or runs; "assumed" was never measured by itself. What a farm measures corrects the whole
/// (<see cref="PeakFactor"/>, <see cref="StepTimeFactor"/>).
/// </remarks>
internal sealed record PlanContext(PlanRequest Request, SlotState Slot, VideoGeometry Geometry, SlotRates Rates)
{
    private const long MiB = 1L << 20;

    /// <summary>Runtime, libtorch and its thread pools, as resident set. Measured on two cores; no file of it is kept.</summary>
    private const long HostProcessBytes = 155 * MiB;

    /// <summary>
    /// The renderer has the C library keep freed tensors for reuse, so the resident set holds several that are no longer
    /// alive: about this many times the live ones, up to a bound. Measured on decodes of small models on two cores; no file of it
    /// is kept.
    /// </summary>
    private const double HostKeptFactor = 6.5;
    private const long HostKeptMostBytes = 500 * MiB;

    /// <summary>Product workspaces and small tensors, in the pool beside what a stage counts. Fitted to h100-80gb-predict.json.</summary>
    private const long WorkspaceBytes = 123 * MiB;

    private IReadOnlyList<QualityClass>? _classes;

    /// <summary>By the quality that was asked for, or the pins.</summary>
    public IReadOnlyList<QualityClass> Classes => _classes ??= QualityClass.Of(this);

    /// <summary>What measurements said of the kinds of plans that are made with this; null when nothing.</summary>
    public PlanCorrection? Correction { get; init; }

    public bool OnCpu => Slot.Kind == SlotKind.Cpu;

    /// <summary>Bytes of an activation or weight outside the eight-bit ones, unless the whole job is float32.</summary>
    public int ElementBytes => OnCpu ? 4 : 2;

    public double PeakFactor => Math.Clamp(Correction?.PeakFactor ?? 1, 0.9, 2);

    public double StepTimeFactor => Math.Clamp(Correction?.StepTimeFactor ?? 1, 0.2, 5);

    /// <summary>
    /// Prepared weights that have to lie in host memory at one time: the blocks, or before them the text encoder, which gives way.
    /// </summary>
    public long HostBytesNeeded(Precision precision) =>
        Math.Max(DenoiseWay.HostBytesOf(Request.Shape, precision), new TextStage(this).HostBytes);

    /// <summary>Peak of the process while a stage holds <paramref name="bytes"/>, corrected by what was measured.</summary>
    public long Peak(double bytes)
    {
        var process = OnCpu
            ? HostProcessBytes + Math.Min(HostKeptMostBytes, bytes * HostKeptFactor) + (bytes * 0.02)
            : ProcessMemory.OnCardBytes + WorkspaceBytes;
        return (long)((process + bytes) * PeakFactor);
    }
}
