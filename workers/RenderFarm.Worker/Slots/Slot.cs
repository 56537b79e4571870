using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Nvml;
using RenderFarm.Planning.Cards;

namespace RenderFarm.Worker.Slots;

/// <summary>Where one job at a time can run: a card, or the CPU.</summary>
internal sealed class Slot
{
    private readonly SlotDescription _description;
    private readonly Func<long> _freeBytes;

    private Slot(SlotDescription description, SlotCard? card, Func<long> freeBytes, TimeProvider time)
    {
        _description = description;
        Card = card;
        _freeBytes = freeBytes;
        Pause = new SlotPause(time);
    }

    public SlotDescription Description => _description with { Calibration = Calibration, Quarantine = Quarantine };
    public string Id => _description.Id;
    public SlotKind Kind => _description.Kind;

    /// <summary>Null on the CPU.</summary>
    public SlotCard? Card { get; }

    /// <summary>The only card that a renderer of this slot may see; null on the CPU.</summary>
    public string? CardUuid => Card?.Card.Uuid;

    /// <summary>What a renderer could take now.</summary>
    /// <exception cref="NvmlException">The driver doesn't answer for the card (any more).</exception>
    public long FreeBytes => Math.Max(_freeBytes(), Pause.FreeBytesBefore ?? 0);

    /// <summary>The time between its jobs.</summary>
    public SlotPause Pause { get; }

    /// <summary>What plans for it are timed with; null before anything is known.</summary>
    public CardCalibration? Calibration { get; set; }

    /// <summary>The job it works on, for the eyes of operators.</summary>
    public string? CurrentJob { get; set; }

    /// <summary>Why it takes no jobs until somebody, or time, puts it right; null when nothing is wrong with it.</summary>
    public string? Quarantine => Unfit ?? CardFault ?? DeviceFault ?? EncoderFault;

    /// <summary>Why its card can never take a job; null when it can.</summary>
    public string? Unfit { get; private init; }

    /// <summary>What is wrong with its card.</summary>
    public string? CardFault { get; set; }

    /// <summary>Why no renderer can work on it.</summary>
    public string? DeviceFault { get; set; }

    /// <summary>What is wrong with the video encoder, which a worker's slots share.</summary>
    public string? EncoderFault { get; set; }

    public static Slot Cpu(string processor, TimeProvider time) =>
        new(
            new SlotDescription
            {
                Id = "cpu",
                Kind = SlotKind.Cpu,
                Card = processor,
                TotalBytes = HostMemory.TotalBytes,
            },
            card: null,
            () => HostMemory.AvailableBytes,
            time
        );

    public static Slot Cuda(NvmlLibrary library, Card card, TimeProvider time)
    {
        var own = new SlotCard(library, card);
        return new Slot(
            new SlotDescription
            {
                Id = $"gpu{card.Index}",
                Kind = SlotKind.Cuda,
                Card = card.Name,
                Driver = library.DriverVersion,
                ComputeCapability = card.ComputeCapability,
                TotalBytes = card.TotalBytes,
            },
            own,
            () => own.Memory.FreeBytes,
            time
        )
        {
            Unfit = CardFitness.WhyNot(card.Name, card.ComputeCapability),
        };
    }
}
