using Microsoft.Extensions.Options;
using RenderFarm.Nvml;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Slots;

/// <summary>Finds this host's slots, once, at start.</summary>
internal sealed class SlotDiscovery : IDisposable
{
    public SlotDiscovery(IOptions<WorkerOptions> options, TimeProvider time, ILogger<SlotDiscovery> log)
    {
        CardsWanted = options.Value.Slots == SlotsWanted.Auto;
        if (CardsWanted)
        {
            Library = NvmlLibrary.TryOpen(out var reason, options.Value.NvmlPath);
            WhyNoCards = reason;
            if (Library is null)
            {
                log.NoCards(reason);
            }
        }

        if (CardsWanted && Library is null && CardSigns.Find() is { } sign)
        {
            CardMissed =
                $"{sign}, but {WhyNoCards}: renders run on the CPU. Install the NVIDIA driver's libraries here (in a container: run it "
                + "with --gpus all), or set Worker:NvmlPath";
            log.CardMissed(CardMissed);
        }

        Slots = Library is null
            ? [Slot.Cpu(ProcessorName(), time)]
            : [.. Library.Cards.Select(card => Slot.Cuda(Library, card, time))];
    }

    public IReadOnlyList<Slot> Slots { get; }

    /// <summary>Null where there are no cards, or none are wanted.</summary>
    public NvmlLibrary? Library { get; }

    /// <summary>Why there are none of them, in words.</summary>
    public string WhyNoCards { get; } = "Worker:Slots is cpu";

    /// <summary>Why renders run on the CPU although a card seems to be there; null where they don't, or none does.</summary>
    public string? CardMissed { get; }

    /// <summary>Cards would be used if there were any.</summary>
    public bool CardsWanted { get; }

    public void Dispose()
    {
        foreach (var slot in Slots)
        {
            slot.Dispose();
        }

        Library?.Dispose();
    }

    private static string ProcessorName()
    {
        const string Field = "model name";
        var line = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal))
            : null;
        return line is null ? "cpu" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
