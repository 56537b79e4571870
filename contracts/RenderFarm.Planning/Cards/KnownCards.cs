using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning.Cards;

/// <summary>
/// Estimates for cards nobody has calibrated yet: about what each reaches on the products, attention and copies of a
/// Wan model. Only the H100's were measured ("calibrated" in h100-80gb-predict.json, within a tenth of these); the others
/// are scaled from it by the makers' figures. A calibration replaces all of it.
/// </summary>
public static class KnownCards
{
    private const double T = 1e12;
    private const double G = 1e9;

    /// <summary>Name as the driver gives it contains this; longer names come first.</summary>
    private static readonly (string Name, Estimate Rates)[] Cards =
    [
        ("H200", new(784 * T, 1450 * T, 575 * T, 50 * G, 4300 * G, 890 * T)),
        ("H100 PCIe", new(560 * T, 1050 * T, 410 * T, 45 * G, 1800 * G, 635 * T)),
        ("H100", new(784 * T, 1450 * T, 575 * T, 50 * G, 2800 * G, 890 * T)),
        ("H800", new(784 * T, 1450 * T, 575 * T, 50 * G, 2800 * G, 890 * T)),
        ("H20", new(130 * T, 260 * T, 110 * T, 45 * G, 3500 * G, 170 * T)),
        ("B200", new(1500 * T, 2900 * T, 1000 * T, 50 * G, 7000 * G)),
        ("A100", new(250 * T, null, 190 * T, 24 * G, 1700 * G)),
        ("A800", new(250 * T, null, 190 * T, 24 * G, 1700 * G)),
        ("L40S", new(260 * T, 480 * T, 170 * T, 24 * G, 780 * G)),
        ("L40", new(160 * T, 310 * T, 120 * T, 24 * G, 780 * G)),
        ("L4", new(55 * T, 105 * T, 45 * T, 24 * G, 270 * G)),
        ("A10", new(65 * T, null, 50 * T, 24 * G, 540 * G)),
        ("A6000", new(120 * T, null, 90 * T, 24 * G, 690 * G)),
        ("RTX 5090", new(210 * T, 400 * T, 170 * T, 50 * G, 1550 * G)),
        ("RTX 5080", new(110 * T, 210 * T, 90 * T, 50 * G, 840 * G)),
        ("RTX 5070 Ti", new(86 * T, 165 * T, 70 * T, 50 * G, 780 * G)),
        ("RTX 5060 Ti", new(46 * T, 90 * T, 38 * T, 25 * G, 390 * G)),
        ("RTX 4090", new(160 * T, 300 * T, 130 * T, 24 * G, 880 * G)),
        ("RTX 4080", new(95 * T, 185 * T, 78 * T, 24 * G, 620 * G)),
        ("RTX 4070 Ti SUPER", new(84 * T, 160 * T, 68 * T, 24 * G, 580 * G)),
        ("RTX 4070", new(56 * T, 108 * T, 46 * T, 24 * G, 440 * G)),
        ("RTX 4060", new(28 * T, 55 * T, 23 * T, 12 * G, 240 * G)),
        ("RTX 3090", new(68 * T, null, 52 * T, 24 * G, 820 * G)),
        ("RTX 3080", new(57 * T, null, 44 * T, 24 * G, 660 * G)),
        ("RTX 3060", new(24 * T, null, 19 * T, 24 * G, 310 * G)),
    ];

    /// <summary>A card nobody named: a middling one, and no fp8 products.</summary>
    private static readonly Estimate Unknown = new(60 * T, null, 48 * T, 20 * G, 500 * G);

    /// <summary>
    /// Rates to assume of a card by name, fp8 products and eight-bit attention included where its kind has them. For questions
    /// about a card that isn't there; a real slot hands in its calibration instead. Null when the name is not in the table.
    /// </summary>
    public static CardCalibration? Find(string card) =>
        Cards.FirstOrDefault(known => Matches(card, known.Name)) is ({ } name, { } rates) ? rates.AsCalibration(name) : null;

    internal static (string Name, CardCalibration Rates) FindOrUnknown(string card) =>
        Find(card) is { } rates ? (card, rates) : ("a middling card", Unknown.AsCalibration("unknown"));

    private static bool Matches(string card, string name)
    {
        var at = card.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return false;
        }
        // "L4" must not be found in "L40"
        var end = at + name.Length;
        return end == card.Length || !char.IsAsciiLetterOrDigit(card[end]);
    }

    private sealed record Estimate(
        double Bf16,
        double? Fp8,
        double Attention,
        double HostToDevice,
        double Memory,
        double? EightBitAttention = null
    )
    {
        public CardCalibration AsCalibration(string name) =>
            new()
            {
                Key = $"estimate:{name}",
                Bf16Flops = Bf16,
                Fp8Flops = Fp8,
                AttentionFlops = Attention,
                EightBitAttentionFlops = EightBitAttention,
                HostToDeviceBytesPerSecond = HostToDevice,
                MemoryBytesPerSecond = Memory,
                Fp32Flops = Bf16 / 8,
            };
    }
}
