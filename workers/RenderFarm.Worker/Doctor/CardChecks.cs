using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Nvml;
using RenderFarm.Planning;
using RenderFarm.Worker.Calibration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Doctor;

/// <summary>The slots of this host: driver, cards, who is on them, what renders on them and what is known of their speed.</summary>
internal static class CardChecks
{
    public static async IAsyncEnumerable<HostCheck> LookAsync(SlotDiscovery discovery, SlotCalibration calibration)
    {
        foreach (var slot in discovery.Slots)
        {
            if (slot.Card is not { } card)
            {
                yield return HostCheck.Without(
                    "driver",
                    discovery.CardMissed ?? $"{discovery.WhyNoCards}: renders run on the CPU ({slot.Description.Card})",
                    discovery.CardsWanted ? "install the NVIDIA driver, or set Worker:NvmlPath where its library lies elsewhere" : null
                );
            }
            else
            {
                yield return Card(slot, card);
            }

            yield return Rates(slot, await calibration.ProbeAsync(slot, CancellationToken.None));
        }
    }

    private static HostCheck Rates(Slot slot, DeviceProbe? probe)
    {
        var subject = $"{slot.Id} rates";
        const string Remedy = "a worker measures it by itself when it is idle; ./farm bench calibrate does it now, in half a minute";
        if (probe is null)
        {
            return HostCheck.Lacks(subject, "the renderer could not look at it", "its own checks, or the worker's log, say why");
        }

        if (probe.Fault is { } fault)
        {
            return HostCheck.Lacks(
                $"{slot.Id} renders",
                fault,
                RendererTorch.Remedy
            );
        }

        return slot.Calibration is { IsEstimate: false } measured
            ? HostCheck.Ok(subject, $"measured{EightBits(measured, probe)}")
            : HostCheck.Without(
                subject,
                slot.Calibration is { } estimate ? $"estimated by its name{EightBits(estimate, probe)}" : "estimated",
                Remedy
            );
    }

    private static string EightBits(CardCalibration rates, DeviceProbe probe)
    {
        if (probe.Subject.Uuid is null)
        {
            return "";
        }

        var fp8 = rates.Fp8Flops is { } products
            ? FormattableString.Invariant($"fp8 products at {products / 1e12:0} TFLOP/s")
            : $"no fp8 products ({probe.Fp8Fault ?? "none known of it"})";
        var attention = rates.EightBitAttentionFlops is { } rate
            ? FormattableString.Invariant($"eight-bit attention at {rate / 1e12:0}")
            : $"no eight-bit attention ({probe.EightBitAttentionFault ?? "its rate is not known"})";
        return $"; {fp8}, {attention}";
    }

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
