using System.Text.Json;
using RenderFarm.Contracts.Models;

namespace RenderFarm.Worker.Models;

/// <summary>
/// What most numbers of a DiT's blocks are stored in, by the headers of its files. A GGUF counts as in full: it is decoded while blocks
/// are prepared, and rounded then to whatever is planned.
/// </summary>
internal static class StoredWeights
{
    /// <returns>As if in full where a file is missing, damaged or no safetensors: whoever loads it says what is wrong.</returns>
    public static WeightStorage Of(IReadOnlyList<string> transformer)
    {
        try
        {
            return transformer
                    .SelectMany(SafetensorsHeader.TensorsOf)
                    .Where(tensor => tensor.IsInBlocks)
                    .GroupBy(tensor => tensor.Type)
                    .MaxBy(type => type.Sum(tensor => tensor.Numbers))
                    ?.Key switch
            {
                "F8_E4M3" => WeightStorage.Float8,
                "I8" => WeightStorage.Int8,
                _ => WeightStorage.Full,
            };
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            return WeightStorage.Full;
        }
    }
}
