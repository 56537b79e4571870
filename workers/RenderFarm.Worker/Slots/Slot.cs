using RenderFarm.Contracts.Leases;
using RenderFarm.Nvml;

namespace RenderFarm.Worker.Slots;

/// <summary>Where one job at a time can run: a card, or the CPU.</summary>
public sealed class Slot
{
    private readonly Func<long> _freeBytes;

    private Slot(SlotDescription description, string? cardUuid, Func<long> freeBytes)
    {
        Description = description;
        CardUuid = cardUuid;
        _freeBytes = freeBytes;
    }

    public SlotDescription Description { get; }
    public string Id => Description.Id;
    public SlotKind Kind => Description.Kind;

    /// <summary>The only card that a renderer of this slot may see; null on the CPU.</summary>
    public string? CardUuid { get; }

    /// <summary>What a renderer could take now.</summary>
    public long FreeBytes => _freeBytes();

    /// <summary>The job it works on, for the eyes of operators.</summary>
    public string? CurrentJob { get; set; }

    public static Slot Cpu(HostMemory memory, string processor) => new(
        new SlotDescription { Id = "cpu", Kind = SlotKind.Cpu, Card = processor, TotalBytes = memory.TotalBytes },
        cardUuid: null,
        () => memory.AvailableBytes);

    public static Slot Cuda(NvmlLibrary library, Card card) => new(
        new SlotDescription { Id = $"gpu{card.Index}", Kind = SlotKind.Cuda, Card = card.Name, Driver = library.DriverVersion, TotalBytes = card.TotalBytes },
        card.Uuid,
        () => library.MemoryOf(card).FreeBytes);
}
