using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// How weights are quantised. Scales are looked for before anything is decided by type: a scaled file read as a plain one
/// loads without any error and renders noise.
/// </summary>
internal static class Quantizations
{
    public const string None = "none";

    public static string Of(IEnumerable<TensorEntry> entries)
    {
        var list = entries.ToList();
        bool Any(string suffix) => list.Exists(entry => entry.Name.EndsWith(suffix, StringComparison.Ordinal));
        var packed = list.Where(entry => entry.Packed is not null)
            .GroupBy(entry => entry.StoredAs)
            .OrderByDescending(type => type.Sum(entry => entry.Bytes))
            .Select(type => type.Key)
            .ToList();
        if (packed.Count > 0)
        {
            return $"GGUF {packed[0]}{(packed.Count > 1 ? $" (and {string.Join(", ", packed.Skip(1))})" : "")}";
        }

        var eightBit = list.Find(e => e.Type.Bytes == 1 && e.Name.EndsWith(".weight", StringComparison.Ordinal));
        if (Any(".weight_scale_2"))
        {
            return "nvfp4 (not supported)";
        }

        if (Any("scaled_fp8") || Any(".scale_weight"))
        {
            return "fp8_scaled (scale_weight per layer)";
        }

        if (list.Find(entry => entry.Name.EndsWith(".weight_scale", StringComparison.Ordinal)) is { } scale)
        {
            return $"{eightBit?.Type.Name.ToLowerInvariant() ?? "unknown type"}, weight_scale per "
                + $"{(scale.Elements > 1 ? "output channel" : "layer")}";
        }

        return eightBit is null ? None : $"{eightBit.Type.Name.ToLowerInvariant()}, plain cast without scales";
    }

    /// <summary>Tensors that belong to a quantisation and not to the model.</summary>
    public static bool IsMarker(string key) =>
        key.EndsWith("scaled_fp8", StringComparison.Ordinal)
        || key.EndsWith(".scale_weight", StringComparison.Ordinal)
        || key.EndsWith(".scale_input", StringComparison.Ordinal)
        || key.EndsWith(".weight_scale", StringComparison.Ordinal)
        || key.EndsWith(".input_scale", StringComparison.Ordinal)
        || key.EndsWith(".weight_scale_2", StringComparison.Ordinal)
        || key.EndsWith(".comfy_quant", StringComparison.Ordinal);
}
