using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Nvml;
using RenderFarm.Planning;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Doctor;

/// <summary>The slots of this host: driver, cards, who is on them, whether they were calibrated.</summary>
internal static class CardChecks
{
    public static IEnumerable<HostCheck> Of(SlotDiscovery discovery)
    {
        foreach (var slot in discovery.Slots)
        {
            var description = slot.Description;
            if (slot.Card is not { } card)
            {
                yield return HostCheck.Without(
                    "driver",
                    $"{discovery.WhyNoCards}: renders run on the CPU ({description.Card})",
                    discovery.CardsWanted ? "install the NVIDIA driver, or set Worker:NvmlPath where its library lies elsewhere" : null
                );
            }
            else
            {
                yield return Card(slot, card);
            }

            yield return description.Calibration is { } calibration
                ? HostCheck.Ok(
                    $"{slot.Id} calibration",
                    calibration.Fp8Flops is { } fp8
                        ? FormattableString.Invariant($"measured; fp8 products at {fp8 / 1e12:0} TFLOP/s{EightBit(calibration)}")
                        : "measured"
                )
                : HostCheck.Without(
                    $"{slot.Id} calibration",
                    "plans estimate its speed" + (slot.Kind == SlotKind.Cuda ? " and use no fp8 products and no eight-bit attention" : ""),
                    "./farm bench calibrate, a minute"
                );
        }
    }

    private static string EightBit(CardCalibration calibration) =>
        calibration.EightBitAttentionFlops is { } rate ? FormattableString.Invariant($", eight-bit attention at {rate / 1e12:0}") : "";

    private static HostCheck Card(Slot slot, SlotCard card)
    {
        var description = slot.Description;
        if (slot.Unfit is { } why)
        {
            return HostCheck.Lacks(slot.Id, why, "its slot takes no jobs; use another card, or render on the CPU");
        }

        try
        {
            var finding =
                $"{description.Card}, driver {description.Driver}, {Names.Gib(card.Memory.FreeBytes)} free of "
                + $"{Names.Gib(description.TotalBytes)}; {card.InUse()}";
            return HostCheck.Ok(slot.Id, finding);
        }
        catch (NvmlException fault)
        {
            return HostCheck.Lacks(
                slot.Id,
                $"{description.Card}: {fault.Message}",
                "look at nvidia-smi and the kernel's log; the host may need a restart"
            );
        }
    }
}
