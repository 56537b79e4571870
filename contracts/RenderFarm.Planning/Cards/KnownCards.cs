using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning.Cards;

/// <summary>
/// Rates of cards nobody has calibrated yet: the part of its sheet that a card reaches on the products, attention and copies of a
/// Wan model. A calibration replaces all of it.
/// </summary>
public static class KnownCards
{
    private const double Tera = 1e12;
    private const double Giga = 1e9;

    /// <summary>
    /// Parts of the sheets' figures. Between what the H100 and the H200 reached ("calibrated" in h100-80gb-predict.json and
    /// h200-predict.txt): bf16 0.75 and 0.77, fp8 0.73 and 0.77, attention 0.53 and 0.54 of bf16's, attention in eight bits 0.42 of
    /// fp8's on the H200, memory 0.88 and 0.86, the bus 0.84 and 0.88. Assumed: that other cards reach the same parts, and int8 as much
    /// as fp8.
    /// </summary>
    private const double Bf16Share = 0.76;
    private const double EightBitShare = 0.74;
    private const double AttentionShare = 0.54;
    private const double EightBitAttentionShare = 0.42;
    private const double MemoryShare = 0.86;
    private const double BusShare = 0.8;

    /// <summary>Float32 products of cards without tensor units for them, against bf16's. Assumed.</summary>
    private const double Fp32Share = 1.0 / 8;

    /// <summary>What a card that isn't in the table is taken for, of the slowest that is.</summary>
    private const double UnknownShare = 0.9;

    /// <summary>
    /// Rates to assume of a card by name, with every product that its kind has. A slot whose start found one of them wrong leaves that
    /// rate out. Null when the name is not in the table, or is of a card that can't work.
    /// </summary>
    public static CardCalibration? Find(string card) =>
        CardSheets.Find(card) is { Bf16: not null } sheet ? Rates(sheet.Name, sheet, 1) : null;

    /// <summary>The same; a card that isn't in the table is planned below the slowest of its generation, or of all.</summary>
    public static CardCalibration Estimate(string card, Version? capability)
    {
        if (Find(card) is { } known)
        {
            return known;
        }

        var generation = capability is null ? CardGenerations.OfName(new CardName(card)) : CardGenerations.Of(capability);
        var able = CardSheets.All.Where(sheet => sheet.Bf16 is not null).ToList();
        var others = able.FindAll(sheet => generation is null || sheet.Generation == generation);
        if (others.Count == 0)
        {
            (generation, others) = (null, able);
        }

        var slowest = new CardSheet
        {
            Name = $"the slowest {(generation is null ? "card of all" : $"of {generation}")}",
            Capability = others.Min(sheet => sheet.Capability)!,
            Gibibytes = others.Min(sheet => sheet.Gibibytes),
            Bf16 = others.Min(sheet => sheet.Bf16),
            Fp8 = others.TrueForAll(sheet => sheet.Fp8 is not null) ? others.Min(sheet => sheet.Fp8) : null,
            Int8 = others.Min(sheet => sheet.Int8),
            Bandwidth = others.Min(sheet => sheet.Bandwidth),
            Bus = others.Min(sheet => sheet.Bus),
            Source = "the least of each column",
        };
        return Rates(slowest.Name, slowest, UnknownShare);
    }

    /// <summary>What a plan says of rates with this key.</summary>
    internal static string OriginOf(string key)
    {
        if (!key.StartsWith(CardCalibration.EstimatePrefix, StringComparison.Ordinal))
        {
            return $"measured ({key})";
        }

        var name = key[CardCalibration.EstimatePrefix.Length..];
        return CardSheets.Find(name) is null
            ? $"estimated: the card is not in the table of known ones and is planned below {name}"
            : $"estimated for {name} from its maker's sheet";
    }

    /// <summary>
    /// On Hopper both products run in eight bits. Elsewhere queries meet keys in int8 and the values in bf16, each for half of the work;
    /// that way was never timed on another card.
    /// </summary>
    private static double? EightBitAttention(CardSheet sheet) =>
        sheet.Generation == CardGeneration.Hopper
            ? sheet.Fp8 * EightBitAttentionShare
            : 2 / ((1 / (sheet.Int8 * EightBitAttentionShare)) + (1 / (sheet.Bf16 * AttentionShare)));

    private static CardCalibration Rates(string name, CardSheet sheet, double share)
    {
        var bf16 = sheet.Bf16!.Value * share * Tera;
        return new()
        {
            Key = CardCalibration.EstimatePrefix + name,
            Bf16Flops = bf16 * Bf16Share,
            Fp8Flops = sheet.Fp8 * share * Tera * EightBitShare,
            Int8Flops = sheet.Int8 * share * Tera * EightBitShare,
            AttentionFlops = bf16 * AttentionShare,
            EightBitAttentionFlops = EightBitAttention(sheet) * share * Tera,
            HostToDeviceBytesPerSecond = sheet.Bus * share * Giga * BusShare,
            MemoryBytesPerSecond = sheet.Bandwidth * share * Giga * MemoryShare,
            Fp32Flops = bf16 * Bf16Share * Fp32Share,
        };
    }
}
