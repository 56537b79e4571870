using System.Text.Json;
using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// Layers whose weights a quantised checkpoint stores in eight bits and wants multiplied in the compute type, in the three ways that
/// files say so: <c>full_precision_matrix_mult</c> in the JSON of a layer's <c>comfy_quant</c> tensor or of the header's
/// <c>_quantization_metadata</c>, and for all layers an older file's <c>scaled_fp8</c> of two elements.
/// </summary>
internal static class FullPrecisionHints
{
    private const string Field = "full_precision_matrix_mult";
    private const string Marker = ".comfy_quant";
    private const string OldMarker = "scaled_fp8";
    private const string Header = "_quantization_metadata";
    private const int MostMarkerBytes = 1 << 16;

    /// <returns>Names of layers as the file has them; those of the header may lack the file's prefix.</returns>
    public static IEnumerable<string> Of(ITensorSource source) => [.. OfMarkers(source), .. OfHeader(source), .. OfOldFile(source)];

    private static IEnumerable<string> OfMarkers(ITensorSource source)
    {
        foreach (var entry in source.Entries.Values.Where(entry => entry.Name.EndsWith(Marker, StringComparison.Ordinal)))
        {
            if (entry.Type.Name != "U8" || entry.Bytes > MostMarkerBytes)
            {
                throw new CheckpointException(source.Name, entry.Name, $"[{string.Join(", ", entry.Shape)}] of {entry.Type} is no text");
            }

            using var stored = source.Load(entry.Name);
            if (Parse(source, entry.Name, stored.cpu().view(-1).data<byte>().ToArray(), IsAsked))
            {
                yield return entry.Name[..^Marker.Length];
            }
        }
    }

    private static IReadOnlyList<string> OfHeader(ITensorSource source) =>
        source.Metadata.TryGetValue(Header, out var text)
            ? Parse(
                source,
                Header,
                System.Text.Encoding.UTF8.GetBytes(text),
                root =>
                    root.TryGetProperty("layers", out var layers)
                        ? layers.EnumerateObject().Where(layer => IsAsked(layer.Value)).Select(layer => layer.Name).ToList()
                        : []
            )
            : [];

    private static IEnumerable<string> OfOldFile(ITensorSource source)
    {
        const string Scale = ".scale_weight";
        var marked = source.Entries.Values.Any(entry =>
            (entry.Name == OldMarker || entry.Name.EndsWith("." + OldMarker, StringComparison.Ordinal)) && entry.Elements == 2
        );
        return marked
            ? source.Entries.Keys.Where(key => key.EndsWith(Scale, StringComparison.Ordinal)).Select(key => key[..^Scale.Length])
            : [];
    }

    private static bool IsAsked(JsonElement layer) =>
        layer.ValueKind == JsonValueKind.Object && layer.TryGetProperty(Field, out var asked) && asked.ValueKind == JsonValueKind.True;

    private static T Parse<T>(ITensorSource source, string name, byte[] text, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(source.Name, name, "does not say as JSON how the layer is stored", e);
        }
    }
}
