using System.Text.Json;

namespace RenderFarm.Worker.Models;

/// <param name="Type">The file's word, such as BF16.</param>
/// <param name="Numbers">How many it holds; hostile files name more than any memory has.</param>
internal readonly record struct StoredTensor(string Name, string Type, double Numbers)
{
    public bool IsInBlocks => Name.Contains("blocks", StringComparison.Ordinal);
}

/// <summary>What a safetensors file says it holds, without its gigabytes.</summary>
internal static class SafetensorsHeader
{
    private const string Metadata = "__metadata__";

    /// <exception cref="IOException">It is missing, truncated, or no safetensors file.</exception>
    /// <exception cref="JsonException">The header says nothing sensible.</exception>
    public static IReadOnlyList<StoredTensor> TensorsOf(string path)
    {
        using var file = File.OpenRead(path);
        if (!path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            throw new IOException($"{path} is no safetensors file");
        }

        using var header = JsonDocument.Parse(CheckpointFingerprint.Header(file));
        return header.RootElement.ValueKind == JsonValueKind.Object
            ? [.. header.RootElement.EnumerateObject().Where(entry => entry.Name != Metadata).Select(Read)]
            : throw new JsonException("the header is no object");
    }

    private static StoredTensor Read(JsonProperty tensor)
    {
        if (
            tensor.Value.ValueKind != JsonValueKind.Object
            || !tensor.Value.TryGetProperty("shape", out var shape)
            || shape.ValueKind != JsonValueKind.Array
        )
        {
            throw new JsonException("a tensor has no shape");
        }

        double numbers = 1;
        foreach (var side in shape.EnumerateArray())
        {
            numbers *=
                side.ValueKind == JsonValueKind.Number && side.TryGetInt64(out var length) && length >= 0
                    ? length
                    : throw new JsonException("a shape holds no length");
        }

        var type = tensor.Value.TryGetProperty("dtype", out var word) && word.ValueKind == JsonValueKind.String ? word.GetString()! : "";
        return new(tensor.Name, type, numbers);
    }
}
