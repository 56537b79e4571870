using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Workers;
using RenderFarm.Simulation.Cards;
using RenderFarm.Simulation.Demand;

namespace RenderFarm.Simulation.Supply;

/// <summary>One card, which is a host and a worker of its own.</summary>
internal sealed class Card(int number, CardKind kind, IReadOnlyList<string> models, bool isSpot)
{
    public int Number => number;
    public CardKind Kind => kind;

    /// <summary>Rented for as long as nobody pays more: it goes without a word.</summary>
    public bool IsSpot => isSpot;

    public FarmWorker Worker { get; } =
        new()
        {
            Id = $"worker_{number:x8}",
            Instance = "1",
            Name = $"host-{number}",
            Host = $"host-{number}",
            Version = "1",
            Slots = [kind.Slot],
            Models = models,
            Quarantines = new Dictionary<string, SlotQuarantine>(),
            Draining = false,
            RegisteredAt = DateTimeOffset.UnixEpoch,
            SeenAt = DateTimeOffset.UnixEpoch,
            IsLive = true,
        };

    public bool IsThere { get; set; } = true;

    /// <summary>Grows when the card goes: what was to happen on it before does not.</summary>
    public int Life { get; set; }
    public VideoJob? Job { get; set; }

    /// <summary>The model whose prepared weights its host holds.</summary>
    public string? CachedModel { get; set; }

    /// <summary>Its place among the idle ones of its kind; −1: it isn't idle.</summary>
    public int IdleAt { get; set; } = -1;
    public double BusySeconds { get; set; }
    public double ThereSeconds { get; set; }
    public double ThereSince { get; set; }
}
