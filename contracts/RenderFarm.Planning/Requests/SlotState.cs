using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;

namespace RenderFarm.Planning.Requests;

/// <summary>The slot a plan is for, as it is now.</summary>
public sealed record SlotState
{
    public required SlotKind Kind { get; init; }

    /// <summary>The card's name; rates that were not measured are estimated from it.</summary>
    public string Card { get; init; } = "";

    /// <summary>What its units can do, as the driver says; null where nobody asked it.</summary>
    public Version? ComputeCapability { get; init; }

    /// <summary>Device memory of a card, host memory of a CPU slot.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>
    /// What the renderer may take now. A standby renderer's own context counts as free: it is the process that will run.
    /// </summary>
    public required long FreeBytes { get; init; }

    /// <summary>Host memory for prepared weights and pinned buffers; null means unknown and is not checked. CPU slots ignore it.</summary>
    public long? HostBytes { get; init; }

    /// <summary>Measured rates. Null: estimates, and no fp8 products.</summary>
    public CardCalibration? Calibration { get; init; }

    /// <summary>A card of <paramref name="gibibytes"/> that runs nothing else.</summary>
    public static SlotState Gpu(double gibibytes, string card = "", CardCalibration? calibration = null) =>
        new()
        {
            Kind = SlotKind.Cuda,
            Card = card,
            TotalBytes = Gibibytes.ToBytes(gibibytes),
            FreeBytes = Gibibytes.ToBytes(gibibytes),
            Calibration = calibration,
        };

    /// <summary>A CPU slot with <paramref name="bytes"/> of host memory to itself.</summary>
    public static SlotState Cpu(long bytes, CardCalibration? calibration = null) =>
        new()
        {
            Kind = SlotKind.Cpu,
            Card = "cpu",
            TotalBytes = bytes,
            FreeBytes = bytes,
            Calibration = calibration,
        };

    /// <summary>Kept free for the driver, a desktop and what the model of memory doesn't see.</summary>
    public long ReserveBytes =>
        Kind == SlotKind.Cpu ? Math.Min(TotalBytes / 16, Gibibytes.One) : Math.Clamp(TotalBytes / 50, 192L << 20, 512L << 20);

    /// <summary>What a plan's peak must stay within: free − reserve.</summary>
    public long BudgetBytes => Math.Max(0, Math.Min(FreeBytes, TotalBytes) - ReserveBytes);
}
