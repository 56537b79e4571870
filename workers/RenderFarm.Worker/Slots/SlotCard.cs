using System.Globalization;
using RenderFarm.Nvml;
using RenderFarm.Planning;

namespace RenderFarm.Worker.Slots;

/// <summary>The card of a slot, as the driver sees it now.</summary>
internal sealed class SlotCard(NvmlLibrary library, Card card)
{
    private const int HoldersNamed = 4;

    public Card Card => card;

    /// <exception cref="NvmlException">The driver doesn't answer for it (any more).</exception>
    public CardMemory Memory => library.MemoryOf(card);

    /// <exception cref="NvmlException">The driver doesn't answer for it (any more).</exception>
    public IReadOnlyList<CardProcess> Processes => library.ProcessesOn(card);

    /// <exception cref="NvmlException">The driver doesn't answer for it (any more).</exception>
    public CardVitals Vitals => library.VitalsOf(card);

    /// <summary>What a process holds; 0 when it isn't there, or nobody can tell.</summary>
    public long HeldBy(int process) => Processes.FirstOrDefault(one => one.Id == process)?.UsedBytes ?? 0;

    /// <summary><c>python3 (process 812) 14.2 GiB, Xorg (process 90) 300 MiB; 97 % busy, 71 °C, 312 W</c></summary>
    public string InUse()
    {
        var processes = Processes;
        var holders =
            processes.Count == 0
                ? "no process that can be seen from here holds it"
                : string.Join(", ", processes.Take(HoldersNamed).Select(Words))
                    + (processes.Count > HoldersNamed ? $" and {processes.Count - HoldersNamed} more" : "");
        var vitals = Vitals;
        List<string> figures = [];
        if (vitals.UtilizationPercent is { } busy)
        {
            figures.Add($"{busy} % busy");
        }

        if (vitals.TemperatureCelsius is { } hot)
        {
            figures.Add($"{hot} °C");
        }

        if (vitals.PowerWatts is { } watts)
        {
            figures.Add(string.Create(CultureInfo.InvariantCulture, $"{watts:0} W"));
        }

        return figures.Count == 0 ? holders : $"{holders}; {string.Join(", ", figures)}";
    }

    private static string Words(CardProcess process) =>
        $"{(process.Name.Length == 0 ? "a program" : process.Name)} (process "
        + $"{process.Id}){(process.UsedBytes is { } bytes ? " " + Names.Gib(bytes) : "")}";
}
