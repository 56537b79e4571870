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

    private static long InBlocks(string path) =>
        SafetensorsHeader
            .TensorsOf(path)
            .Where(tensor => tensor.IsInBlocks && !tensor.Name.EndsWith(".alpha", StringComparison.Ordinal))
            .Sum(tensor =>
                tensor.Numbers < 1L << 40 ? (long)tensor.Numbers : throw new JsonException("a tensor is larger than any LoRA's")
            );
}
