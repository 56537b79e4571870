using System.Globalization;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>LoRAs as branches beside the products of blocks, for weights that are streamed and must stay as they are.</summary>
public static class LoraBranches
{
    /// <summary>Whether all that happens inside blocks can be done beside products: norms and modulations can't.</summary>
    public static bool Suit(IReadOnlyDictionary<string, TensorChanges> changes) =>
        changes.All(change =>
            !IsOfBlock(change.Key) || IsBias(change.Key) && Product(change.Key) || change.Value.Direct.Count == 0 && Product(change.Key)
        );

    public static bool IsOfBlock(string tensor) => tensor.StartsWith("blocks.", StringComparison.Ordinal);

    /// <summary>On the device, in the compute type; several LoRAs at one product become one branch of their ranks together.</summary>
    public static SideBranches Load(IReadOnlyDictionary<string, TensorChanges> changes, Device device, ScalarType type)
    {
        var branches = new Dictionary<(int, string), SideBranch>();
        try
        {
            foreach (
                var module in changes.Where(change => IsOfBlock(change.Key)).GroupBy(change => change.Key[..change.Key.LastIndexOf('.')])
            )
            {
                using var scope = NewDisposeScope();
                var lowRank = module.Where(change => !IsBias(change.Key)).SelectMany(change => change.Value.LowRank).ToList();
                var offsets = module.Where(change => IsBias(change.Key)).SelectMany(change => change.Value.Direct).ToList();
                Tensor Exact(ITensorSource source, string key)
                {
                    using var stored = source.Load(key);
                    return stored.to(ScalarType.Float32, copy: true);
                }
                var down = lowRank.Count == 0 ? null : cat([.. lowRank.Select(change => Exact(change.Source, change.Down).flatten(1))], 0);
                var up =
                    lowRank.Count == 0
                        ? null
                        : cat([.. lowRank.Select(change => Exact(change.Source, change.Up).flatten(1) * change.Scale)], 1);
                var offset =
                    offsets.Count == 0
                        ? null
                        : offsets
                            .Select(change => Exact(change.Source, change.Key).flatten() * change.Scale)
                            .Aggregate((sum, next) => sum + next);
                branches.Add(Place(module.Key), new SideBranch(Placed(down), Placed(up), Placed(offset)));
            }
            return new SideBranches(branches);
        }
        catch
        {
            foreach (var branch in branches.Values)
            {
                branch.Dispose();
            }

            throw;
        }

        Tensor? Placed(Tensor? values) => values?.to(type, device).DetachFromDisposeScope();
    }

    /// <summary><c>blocks.7.self_attn.q</c> → 7 and <c>self_attn.q</c>.</summary>
    private static (int Block, string Name) Place(string module)
    {
        var start = "blocks.".Length;
        var end = module.IndexOf('.', start);
        return (int.Parse(module.AsSpan(start, end - start), CultureInfo.InvariantCulture), module[(end + 1)..]);
    }

    private static bool IsBias(string tensor) => tensor.EndsWith(".bias", StringComparison.Ordinal);

    private static bool Product(string tensor) =>
        !tensor.Contains("norm", StringComparison.Ordinal) && !tensor.EndsWith("modulation", StringComparison.Ordinal);
}
