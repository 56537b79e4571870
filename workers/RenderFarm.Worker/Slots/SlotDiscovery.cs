using Microsoft.Extensions.Options;
using RenderFarm.Nvml;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Slots;

/// <summary>Finds this host's slots, once, at start.</summary>
internal sealed class SlotDiscovery : IDisposable
{
    private readonly NvmlLibrary? _library;

    public SlotDiscovery(IOptions<WorkerOptions> options, TimeProvider time, ILogger<SlotDiscovery> log)
    {
        CardsWanted = options.Value.Slots == SlotsWanted.Auto;
        if (CardsWanted)
        {
            _library = NvmlLibrary.TryOpen(out var reason, options.Value.NvmlPath);
            WhyNoCards = reason;
            if (_library is null)
            {
                log.NoCards(reason);
            }
        }

        Slots = _library is null
            ? [Slot.Cpu(ProcessorName(), time)]
            : [.. _library.Cards.Select(card => Slot.Cuda(_library, card, time))];
    }

    public IReadOnlyList<Slot> Slots { get; }

    /// <summary>Why there are none of them, in words.</summary>
    public string WhyNoCards { get; } = "Worker:Slots is cpu";

    /// <summary>Cards would be used if there were any.</summary>
    public bool CardsWanted { get; }

    public void Dispose() => _library?.Dispose();

    private static string ProcessorName()
    {
        const string Field = "model name";
        var line = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal))
            : null;
        return line is null ? "cpu" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
