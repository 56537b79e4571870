namespace RenderFarm.Planning.Cards;

/// <summary>A card as its maker's sheet has it; every rate is dense, without the doubling by sparsity.</summary>
public sealed record CardSheet
{
    /// <summary>As the driver names it, without the maker and the family.</summary>
    public required string Name { get; init; }
    public required Version Capability { get; init; }
    public required double Gibibytes { get; init; }

    /// <summary>Tera-operations a second, sums in float32; null where there are no such units.</summary>
    public double? Bf16 { get; init; }

    /// <summary>The same of e4m3.</summary>
    public double? Fp8 { get; init; }

    /// <summary>The same of int8, sums in int32.</summary>
    public double? Int8 { get; init; }

    /// <summary>Device memory, GB a second.</summary>
    public required double Bandwidth { get; init; }

    /// <summary>From the host, GB a second in one direction, as wide as the card's connector.</summary>
    public required double Bus { get; init; }

    /// <summary>Where the figures were published.</summary>
    public required string Source { get; init; }

    internal CardGeneration Generation => CardGenerations.Of(Capability);

    /// <summary>No figure of the other is better, and one is worse.</summary>
    public bool IsFasterThan(CardSheet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        (double? Own, double? Other)[] figures =
        [
            (Gibibytes, other.Gibibytes),
            (Bf16, other.Bf16),
            (Fp8, other.Fp8),
            (Int8, other.Int8),
            (Bandwidth, other.Bandwidth),
            (Bus, other.Bus),
        ];
        return Array.TrueForAll(figures, pair => (pair.Own ?? 0) >= (pair.Other ?? 0))
            && Array.Exists(figures, pair => (pair.Own ?? 0) > (pair.Other ?? 0));
    }
}
