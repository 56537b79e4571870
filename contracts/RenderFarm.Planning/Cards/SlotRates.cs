using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Cards;

/// <summary>The rates a plan is timed with: measured where a calibration has them, estimated otherwise.</summary>
/// <param name="Fp8Flops">Null when fp8 products are not to be used on the card.</param>
/// <param name="Int8Flops">Null when int8 products are not to be used on the card.</param>
/// <param name="EightBitAttentionFlops">Null when eight-bit attention is not to be used on the card.</param>
/// <param name="Origin">Where they come from, for the plan's reasons.</param>
internal sealed record SlotRates(
    double Fp32Flops,
    double Bf16Flops,
    double? Fp8Flops,
    double? Int8Flops,
    double AttentionFlops,
    double? EightBitAttentionFlops,
    double HostToDeviceBytesPerSecond,
    double MemoryBytesPerSecond,
    string Origin
)
{
    /// <summary>Float32 products of two ordinary cores, what an unmeasured CPU slot is taken for. Assumed, like its other rates.</summary>
    public const double UnmeasuredCpuFlops = 60e9;

    /// <summary>Products in this precision; null when the card is not to run them.</summary>
    public double? ProductFlops(Precision precision) =>
        precision switch
        {
            Precision.Fp32 => Fp32Flops,
            Precision.Fp8 => Fp8Flops,
            Precision.Int8 => Int8Flops,
            _ => Bf16Flops,
        };

    public static SlotRates Of(SlotState slot) => slot.Kind == SlotKind.Cpu ? Cpu(slot.Calibration) : Card(slot);

    private static SlotRates Cpu(CardCalibration? measured)
    {
        var flops = measured?.Fp32Flops ?? UnmeasuredCpuFlops;
        var origin = measured?.Fp32Flops is null ? "estimated for two cores" : $"measured ({measured.Key})";
        var (attention, memory) = (measured?.AttentionFlops ?? flops * 0.6, measured?.MemoryBytesPerSecond ?? 8e9);
        return new(flops, flops, null, null, attention, null, 8e9, memory, origin);
    }

    private static SlotRates Card(SlotState slot)
    {
        var estimate = KnownCards.Estimate(slot.Card, slot.ComputeCapability);
        var measured = slot.Calibration;
        var origin = KnownCards.OriginOf((measured ?? estimate).Key);
        return new(
            measured?.Fp32Flops ?? estimate.Fp32Flops!.Value,
            measured?.Bf16Flops ?? estimate.Bf16Flops!.Value,
            measured?.Fp8Flops,
            measured?.Int8Flops,
            measured?.AttentionFlops ?? estimate.AttentionFlops!.Value,
            measured?.EightBitAttentionFlops,
            measured?.HostToDeviceBytesPerSecond ?? estimate.HostToDeviceBytesPerSecond!.Value,
            measured?.MemoryBytesPerSecond ?? estimate.MemoryBytesPerSecond!.Value,
            origin
        );
    }
}
