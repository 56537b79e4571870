using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>Tells a LoRA from other files, and which models it may be for.</summary>
public static class LoraFile
{
    /// <summary>Most of the keys are a LoRA's: a checkpoint may have one that only looks so.</summary>
    public static bool Holds(IEnumerable<string> keys)
    {
        var all = 0;
        var its = 0;
        foreach (var key in keys)
        {
            all++;
            if (LoraKeys.Split(key) is not null)
            {
                its++;
            }
        }
        return all > 0 && its * 2 > all;
    }

    /// <summary>In words, and the ids of the models whose width and depth it has.</summary>
    internal static string Describe(IEnumerable<TensorEntry> entries, out IReadOnlyList<string> models)
    {
        var parts = entries
            .Select(entry => (Entry: entry, Split: LoraKeys.Split(entry.Name)))
            .Where(part => part.Split is not null)
            .ToList();
        var downs = parts.Where(part => part.Split!.Value.Part == LoraPart.Down && part.Entry.Shape.Count == 2).ToList();
        var unsupported = parts.Exists(part => part.Split!.Value.Part == LoraPart.Unsupported);
        models = [];
        if (unsupported)
        {
            return "a DoRA, LoHa or LoKr: these are not applied, a plain LoRA is";
        }
        // Any projection of the blocks takes rows of the model's width
        var widths = downs
            .Where(part => IsProjection(part.Split!.Value.Module))
            .GroupBy(part => part.Entry.Shape[1])
            .OrderByDescending(group => group.Count())
            .ToList();
        if (widths.Count == 0)
        {
            return "a LoRA without a pair of matrices for attention";
        }

        var width = widths[0].Key;
        var blocks = parts.Max(part => Block(part.Split!.Value.Module)) + 1;
        var fitting = ModelShapes.All.Where(model => model.Transformer.Dim == width && model.Transformer.Layers >= blocks).ToList();
        // At least half of a model's blocks, or a small model's LoRA would count for any larger one of its width
        models = [.. fitting.Where(model => blocks * 2 > model.Transformer.Layers).Select(model => model.Id)];
        return $"a LoRA of rank {downs.Max(part => part.Entry.Shape[0])} for {blocks} blocks of width {width}";
    }

    private static bool IsProjection(string module) =>
        module.EndsWith("attn.q", StringComparison.Ordinal)
        || module.EndsWith("attn_q", StringComparison.Ordinal)
        || module.EndsWith(".to_q", StringComparison.Ordinal)
        || module.EndsWith("attn.k", StringComparison.Ordinal)
        || module.EndsWith("attn_k", StringComparison.Ordinal);

    /// <summary>The number behind <c>blocks.</c> or <c>blocks_</c>; −1 where there is none.</summary>
    private static int Block(string module)
    {
        var at = module.IndexOf("blocks", StringComparison.Ordinal);
        if (at < 0 || at + 7 >= module.Length)
        {
            return -1;
        }

        var digits = module.AsSpan(at + 7);
        var end = digits.IndexOfAnyExceptInRange('0', '9');
        return
            int.TryParse(
                end < 0 ? digits : digits[..end],
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out var block
            )
            && block < 10_000
            ? block
            : -1;
    }
}
