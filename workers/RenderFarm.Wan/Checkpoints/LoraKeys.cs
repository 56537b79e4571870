using System.Text.RegularExpressions;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>What a tensor of an adapter file does to the module it is named after.</summary>
public enum LoraPart
{
    /// <summary>A [r, in]: the way down to the low rank.</summary>
    Down,

    /// <summary>B [out, r]: the way up again.</summary>
    Up,

    /// <summary>Between the two, where a convolution's kernel has its own factor (LoCon with a Tucker core).</summary>
    Core,

    /// <summary>A number; the product counts alpha / r times.</summary>
    Alpha,

    /// <summary>Magnitudes of a weight-decomposed change (DoRA), whatever the change itself is.</summary>
    Magnitude,

    // The factors of a LoHa: two products, multiplied element by element
    HadamardFirstA,
    HadamardFirstB,
    HadamardFirstCore,
    HadamardSecondA,
    HadamardSecondB,
    HadamardSecondCore,

    // The factors of a LoKr: a Kronecker product of two matrices, each whole or a product itself
    KroneckerFirst,
    KroneckerFirstA,
    KroneckerFirstB,
    KroneckerSecond,
    KroneckerSecondA,
    KroneckerSecondB,
    KroneckerSecondCore,

    /// <summary>Added to the weight, or to a tensor that has no weight below it.</summary>
    Difference,

    /// <summary>Added to the bias.</summary>
    BiasDifference,

    /// <summary>The bias of the way up, which counts as often as the pair.</summary>
    UpBias,

    /// <summary>Takes the weight's place.</summary>
    Replacement,

    /// <summary>Changes the weight in a way that is not applied.</summary>
    Unsupported,
}

/// <param name="Module">As the file names it, prefix included.</param>
/// <param name="Spelling">How the file says which part it is: <c>.lora_A.default.weight</c>.</param>
internal readonly record struct LoraKey(string Module, LoraPart Part, string Spelling);

/// <summary>Takes the keys of adapter files apart, whoever wrote them.</summary>
internal static partial class LoraKeys
{
    private static readonly Dictionary<string, LoraPart> Suffixes = new(StringComparer.Ordinal)
    {
        [".lora_mid.weight"] = LoraPart.Core,
        [".alpha"] = LoraPart.Alpha,
        [".dora_scale"] = LoraPart.Magnitude,
        [".hada_w1_a"] = LoraPart.HadamardFirstA,
        [".hada_w1_b"] = LoraPart.HadamardFirstB,
        [".hada_t1"] = LoraPart.HadamardFirstCore,
        [".hada_w2_a"] = LoraPart.HadamardSecondA,
        [".hada_w2_b"] = LoraPart.HadamardSecondB,
        [".hada_t2"] = LoraPart.HadamardSecondCore,
        [".lokr_w1"] = LoraPart.KroneckerFirst,
        [".lokr_w1_a"] = LoraPart.KroneckerFirstA,
        [".lokr_w1_b"] = LoraPart.KroneckerFirstB,
        [".lokr_w2"] = LoraPart.KroneckerSecond,
        [".lokr_w2_a"] = LoraPart.KroneckerSecondA,
        [".lokr_w2_b"] = LoraPart.KroneckerSecondB,
        [".lokr_t2"] = LoraPart.KroneckerSecondCore,
        [".diff"] = LoraPart.Difference,
        [".w_norm"] = LoraPart.Difference,
        [".diff_m"] = LoraPart.Difference,
        [".diff_b"] = LoraPart.BiasDifference,
        [".b_norm"] = LoraPart.BiasDifference,
        [".set_weight"] = LoraPart.Replacement,
    };

    private static readonly (string Sign, string Why)[] Foreign =
    [
        (".reshape_weight", "makes its weight larger, as a control LoRA does, which brings inputs of its own; those are not rendered"),
        (".lora_magnitude_vector", "is PEFT's form of a DoRA, which is not applied; a file with dora_scale is"),
        (".oft_", "is of an OFT, which is not applied; LoRA, DoRA, LoHa and LoKr are"),
        (".glora_", "is of a GLoRA, which is not applied; LoRA, DoRA, LoHa and LoKr are"),
    ];

    /// <summary>Null for a key that belongs to no adapter.</summary>
    public static LoraKey? Split(string key)
    {
        if (Pair().Match(key) is { Success: true } pair)
        {
            var down = pair.Groups["down"].Success;
            var bias = pair.Groups["what"].Value == "bias";
            return new(
                key[..pair.Index],
                (down, bias) switch
                {
                    (true, true) => LoraPart.Unsupported, // Before the way up, it would act through it
                    (true, false) => LoraPart.Down,
                    (false, true) => LoraPart.UpBias,
                    _ => LoraPart.Up,
                },
                pair.Value
            );
        }

        if (key.LastIndexOf('.') is > 0 and var last)
        {
            var start = key.EndsWith(".lora_mid.weight", StringComparison.Ordinal) ? key.Length - ".lora_mid.weight".Length : last;
            if (Suffixes.TryGetValue(key[start..], out var part))
            {
                return new(key[start..] == ".diff_m" ? key[..start] + ".modulation" : key[..start], part, key[start..]);
            }
        }

        foreach (var (sign, _) in Foreign)
        {
            if (key.IndexOf(sign, StringComparison.Ordinal) is > 0 and var at)
            {
                return new(key[..at], LoraPart.Unsupported, key[at..]);
            }
        }

        return null;
    }

    /// <summary>Of a key whose part is <see cref="LoraPart.Unsupported"/>.</summary>
    public static string WhyNot(string key) =>
        Foreign.FirstOrDefault(foreign => key.Contains(foreign.Sign, StringComparison.Ordinal)).Why
        ?? "changes its weight in a way that is not applied";

    /// <summary>Whether the part is one of those that make up a change of a weight, and not a word beside one.</summary>
    public static bool IsFactor(LoraPart part) =>
        part
            is not (
                LoraPart.Alpha
                or LoraPart.Difference
                or LoraPart.BiasDifference
                or LoraPart.Replacement
                or LoraPart.Unsupported
            );

    /// <summary>
    /// <c>lora_A</c> with an adapter's name behind it or none, <c>lora_down</c>, <c>lora.down</c>, <c>lora_linear_layer.down</c>.
    /// </summary>
    [GeneratedRegex(
        @"(?:\.(?:(?<down>lora_A)|lora_B)(?:\.[^.]+(?=\.(?:weight|bias)$))?|\.(?:lora_|lora\.|lora_linear_layer\.)(?:(?<down>down)|up))"
            + @"(?:\.(?<what>weight|bias))?$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant
    )]
    private static partial Regex Pair();
}
