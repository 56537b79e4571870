using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Workers;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Simulation.Cards;

/// <summary>Cards of one name. What is known of them is the farm's own table.</summary>
internal sealed class CardKind
{
    /// <summary>What a desktop and the driver take of a card.</summary>
    private const long OthersBytes = 256L << 20;

    /// <param name="name">As in the table of cards.</param>
    /// <param name="share">Of all cards, as a weight.</param>
    public CardKind(string name, double share)
    {
        Name = name;
        Share = share;
        var card = AskedCard.Find(name, null, null) ?? throw new ArgumentException($"'{name}' is not in the table of cards", nameof(name));
        State = card with { FreeBytes = card.TotalBytes - OthersBytes };
        Slot = new SlotDescription
        {
            Id = "gpu0",
            Kind = SlotKind.Cuda,
            Card = name,
            TotalBytes = card.TotalBytes,
        };
        LargestClass = Fleet.Largest(Slot);
    }

    public string Name { get; }
    public double Share { get; }

    /// <summary>What plans are made for.</summary>
    public SlotState State { get; }
    public SlotDescription Slot { get; }
    public int LargestClass { get; }
    public long FreeBytes => State.FreeBytes;

    /// <summary>Ten kinds from 12 to 141 GiB: many small ones, few large ones. A mix of our own making.</summary>
    public static IReadOnlyList<CardKind> Mixed { get; } =
    [
        new("RTX 3060", 8),
        new("RTX 3090", 14),
        new("RTX 4060 Ti 16GB", 10),
        new("RTX 4070", 12),
        new("RTX 4090", 26),
        new("RTX 5090", 12),
        new("A100 80GB", 4),
        new("L40S", 6),
        new("H100", 6),
        new("H200", 2),
    ];
}
