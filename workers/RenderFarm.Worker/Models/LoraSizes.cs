using System.Text.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Worker.Models;

/// <summary>How much LoRAs bring to the blocks of a DiT, read from the headers of their files.</summary>
internal static class LoraSizes
{
    /// <summary>Numbers in all; of two experts, for the one that gets more.</summary>
    /// <returns>Null where a file is missing, damaged or no safetensors: whoever loads it says what is wrong.</returns>
    public static long? Of(ModelFiles files, IReadOnlyList<LoraReference> loras)
    {
        if (loras.Count == 0)
        {
            return null;
        }

        try
        {
            return Math.Max(Sum(files.Loras, loras), Sum(files.LorasLowNoise, loras));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private static long Sum(IReadOnlyDictionary<string, string> files, IReadOnlyList<LoraReference> loras) =>
        loras.Sum(lora => files.TryGetValue(lora.Name, out var path) ? InBlocks(path) : 0);

    private static long InBlocks(string path)
    {
        using var file = File.OpenRead(path);
        if (!path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            throw new IOException($"{path} is no safetensors file");
        }

        using var header = JsonDocument.Parse(CheckpointFingerprint.Header(file));
        if (header.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException("the header is no object");
        }

        return header
            .RootElement.EnumerateObject()
            .Where(tensor =>
                tensor.Name.Contains("blocks", StringComparison.Ordinal) && !tensor.Name.EndsWith(".alpha", StringComparison.Ordinal)
            )
            .Sum(tensor => Numbers(tensor.Value));
    }

    private static long Numbers(JsonElement tensor)
    {
        if (
            tensor.ValueKind != JsonValueKind.Object
            || !tensor.TryGetProperty("shape", out var shape)
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

        return numbers < 1L << 40 ? (long)numbers : throw new JsonException("a tensor is larger than any LoRA's");
    }
}
