namespace RenderFarm.Wan.Checkpoints;

/// <summary>What a tensor of a LoRA file does to the module it is named after.</summary>
public enum LoraPart
{
    /// <summary>A [r, in]: the way down to the low rank.</summary>
    Down,

    /// <summary>B [out, r]: the way up again.</summary>
    Up,

    /// <summary>A number; the product counts alpha / r times.</summary>
    Alpha,

    /// <summary>Added to the weight, or to a tensor that has no weight below it.</summary>
    Difference,

    /// <summary>Added to the bias.</summary>
    BiasDifference,

    /// <summary>Of a kind that is not applied: DoRA, LoHa, LoKr.</summary>
    Unsupported,
}

/// <summary>Takes the keys of LoRA files apart, whoever wrote them.</summary>
internal static class LoraKeys
{
    private static readonly (string Suffix, LoraPart Part)[] Suffixes =
    [
        (".lora_A.weight", LoraPart.Down),
        (".lora_A.default.weight", LoraPart.Down),
        (".lora_down.weight", LoraPart.Down),
        (".lora.down.weight", LoraPart.Down),
        (".lora_B.weight", LoraPart.Up),
        (".lora_B.default.weight", LoraPart.Up),
        (".lora_up.weight", LoraPart.Up),
        (".lora.up.weight", LoraPart.Up),
        (".alpha", LoraPart.Alpha),
        (".diff", LoraPart.Difference),
        (".diff_m", LoraPart.Difference),
        (".diff_b", LoraPart.BiasDifference),
        (".lora_B.bias", LoraPart.BiasDifference),
        (".lora_B.default.bias", LoraPart.BiasDifference),
        (".lora_up.bias", LoraPart.BiasDifference),
    ];

    private static readonly string[] Foreign = [".dora_scale", ".lora_magnitude_vector", ".hada_", ".lokr_", ".oft_", ".glora_"];

    /// <summary>Null for a key that belongs to no LoRA.</summary>
    public static (string Module, LoraPart Part)? Split(string key)
    {
        foreach (var (suffix, part) in Suffixes)
        {
            if (key.EndsWith(suffix, StringComparison.Ordinal))
            {
                return (
                    part == LoraPart.Difference && suffix == ".diff_m" ? key[..^suffix.Length] + ".modulation" : key[..^suffix.Length],
                    part
                );
            }
        }

        foreach (var sign in Foreign)
        {
            if (key.IndexOf(sign, StringComparison.Ordinal) is >= 0 and var at)
            {
                return (key[..at], LoraPart.Unsupported);
            }
        }

        return null;
    }
}
