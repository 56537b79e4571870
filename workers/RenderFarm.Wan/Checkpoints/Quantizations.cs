using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// How weights are quantised. Scales are looked for before anything is decided by type: a scaled file read as a plain one
/// loads without any error and renders noise.
/// </summary>
internal static class Quantizations
{
    public const string None = "none";

    public static string Of(IReadOnlyDictionary<string, TensorEntry> entries)
    {
        var eightBit = entries.Values.FirstOrDefault(e => e.Type.Bytes == 1 && e.Name.EndsWith(".weight", StringComparison.Ordinal));
        if (entries.Keys.Any(k => k.EndsWith(".weight_scale_2", StringComparison.Ordinal))) return "nvfp4 (not supported)";
        if (entries.ContainsKey("scaled_fp8") || entries.Keys.Any(k => k.EndsWith(".scale_weight", StringComparison.Ordinal)))
            return "fp8_scaled (scale_weight per layer)";
        var scale = entries.FirstOrDefault(e => e.Key.EndsWith(".weight_scale", StringComparison.Ordinal));
        if (scale.Key is not null)
        {
            var perRow = scale.Value.Elements > 1;
            return $"{eightBit?.Type.Name.ToLowerInvariant() ?? "unknown type"}, weight_scale per {(perRow ? "output channel" : "layer")}";
        }
        return eightBit is null ? None : $"{eightBit.Type.Name.ToLowerInvariant()}, plain cast without scales";
    }

    /// <summary>Tensors that belong to a quantisation and not to the model.</summary>
    public static bool IsMarker(string key) =>
        key == "scaled_fp8" || key.EndsWith(".scale_weight", StringComparison.Ordinal) || key.EndsWith(".scale_input", StringComparison.Ordinal)
        || key.EndsWith(".weight_scale", StringComparison.Ordinal) || key.EndsWith(".input_scale", StringComparison.Ordinal)
        || key.EndsWith(".weight_scale_2", StringComparison.Ordinal) || key.EndsWith(".comfy_quant", StringComparison.Ordinal);
}
