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

    /// <param name="plain">Its counts and types.</param>
    internal static CheckpointDescription Describe(ITensorSource source, CheckpointDescription plain)
    {
        var parts = source
            .Entries.Values.Select(entry => (Entry: entry, Key: LoraKeys.Split(entry.Name)))
            .Where(part => part.Key is not null)
            .Select(part => new Found(part.Entry, part.Key!.Value.Module, part.Key!.Value.Part))
            .ToList();
        var adapter = Adapter(source, parts);
        if (parts.Find(part => part.Part == LoraPart.Unsupported) is { } foreign)
        {
            return plain with { What = $"an adapter that is not applied: {foreign.Entry.Name} {LoraKeys.WhyNot(foreign.Entry.Name)}" };
        }

        var kinds = string.Join(" and ", adapter.Kinds);
        // Any projection of the blocks takes rows of the model's width
        var widths = parts
            .Where(part => IsProjection(part.Module))
            .GroupBy(part => part.Module)
            .Select(module => Columns([.. module]))
            .Where(columns => columns > 0)
            .GroupBy(columns => columns)
            .OrderByDescending(group => group.Count())
            .ToList();
        if (widths.Count == 0)
        {
            return plain with { What = $"a {kinds} without a change of any attention", Adapter = adapter };
        }

        var width = widths[0].Key;
        var blocks = parts.Max(part => Block(part.Module)) + 1;
        var fitting = ModelShapes.All.Where(model => model.Transformer.Dim == width && model.Transformer.Layers >= blocks).ToList();
        return plain with
        {
            What = $"a {kinds}{(adapter.Rank is { } rank ? $" of rank {rank}" : "")} for {blocks} blocks of width {width}",
            // At least half of a model's blocks, or a small model's LoRA would count for any larger one of its width
            Models = [.. fitting.Where(model => blocks * 2 > model.Transformer.Layers).Select(model => model.Id)],
            Adapter = adapter,
        };
    }

    private static AdapterDescription Adapter(ITensorSource source, List<Found> parts)
    {
        var decomposed = parts.Where(part => part.Part == LoraPart.Magnitude).Select(part => part.Module).ToHashSet();
        var kinds = parts
            .Select(part => (Kind: KindOf(part.Part), part.Module))
            .Where(part => part.Kind is not null)
            .Select(part =>
                !decomposed.Contains(part.Module) ? part.Kind!
                : part.Kind == "LoRA" ? "DoRA"
                : $"weight-decomposed {part.Kind}"
            )
            .GroupBy(kind => kind)
            .OrderByDescending(group => group.Count())
            .Select(group => group.Key)
            .ToList();
        var ranks = parts
            .Where(part => part.Part is LoraPart.Down or LoraPart.HadamardFirstB or LoraPart.KroneckerFirstB or LoraPart.KroneckerSecondB)
            .Select(part => part.Entry.Shape.Count > 0 ? part.Entry.Shape[0] : 0)
            .ToList();
        var pair = parts.Find(part => part.Part == LoraPart.Down);
        var header = pair is null ? null : new AlphaSources(source.Metadata, _ => { }).For(pair.Module).FirstOrDefault()?.Source;
        var (baseModel, words) = AdapterDescription.Written(source.Metadata);
        return new AdapterDescription
        {
            Kinds = kinds,
            Rank = ranks.Count == 0 ? null : ranks.Max(),
            AlphaFrom = parts.Exists(part => part.Part == LoraPart.Alpha) ? "alpha tensors" : header ?? "none",
            BaseModel = baseModel,
            TriggerWords = words,
        };
    }

    private static string? KindOf(LoraPart part) =>
        part switch
        {
            LoraPart.Down => "LoRA",
            LoraPart.HadamardFirstB => "LoHa",
            LoraPart.KroneckerFirst or LoraPart.KroneckerFirstB => "LoKr",
            LoraPart.Difference or LoraPart.BiasDifference or LoraPart.Replacement => "whole tensors",
            _ => null,
        };

    /// <summary>How many columns a module's change has; 0 where it doesn't say.</summary>
    private static long Columns(IReadOnlyList<Found> module)
    {
        long Second(params ReadOnlySpan<LoraPart> wanted)
        {
            foreach (var part in module)
            {
                if (wanted.Contains(part.Part) && part.Entry.Shape.Count == 2)
                {
                    return part.Entry.Shape[1];
                }
            }

            return 0;
        }
        var outer = Second(LoraPart.KroneckerFirst, LoraPart.KroneckerFirstB);
        var inner = Second(LoraPart.KroneckerSecond, LoraPart.KroneckerSecondB);
        const long Most = 1 << 20;
        return outer is > 0 and < Most && inner is > 0 and < Most
            ? outer * inner
            : Second(LoraPart.Down, LoraPart.HadamardFirstB, LoraPart.Difference, LoraPart.Replacement);
    }

    private sealed record Found(TensorEntry Entry, string Module, LoraPart Part);

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
