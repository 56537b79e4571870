using System.Globalization;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>LoRAs as branches beside the products of blocks, for weights that are streamed and must stay as they are.</summary>
public static class LoraBranches
{
    /// <summary>
    /// What happens inside blocks that can't be done beside products: norms and modulations, and all changes but plain pairs and offsets.
    /// Null where there is nothing of the kind.
    /// </summary>
    public static string? WhyNot(IReadOnlyDictionary<string, IReadOnlyList<TensorChange>> changes)
    {
        var reasons = changes
            .Where(change => IsOfBlock(change.Key))
            .SelectMany(change => change.Value.Select(one => ObstacleOf(change.Key, one)))
            .OfType<string>()
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ToList();
        return reasons.Count == 0 ? null : string.Join(", ", reasons);
    }

    private static string? ObstacleOf(string tensor, TensorChange change) =>
        !IsOfProduct(tensor) ? "norms and modulations"
        : change is DirectChange && !IsBias(tensor) ? "a whole weight's difference"
        : change.WhyNotBeside;

    public static bool IsOfBlock(string tensor) => tensor.StartsWith("blocks.", StringComparison.Ordinal);

    /// <summary>On the device, in the compute type; several LoRAs at one product become one branch of their ranks together.</summary>
    /// <param name="changes">For which <see cref="WhyNot"/> has no reason.</param>
    public static SideBranches Load(IReadOnlyDictionary<string, IReadOnlyList<TensorChange>> changes, Device device, ScalarType type)
    {
        var branches = new Dictionary<(int, string), SideBranch>();
        try
        {
            foreach (
                var module in changes.Where(change => IsOfBlock(change.Key)).GroupBy(change => change.Key[..change.Key.LastIndexOf('.')])
            )
            {
                using var scope = NewDisposeScope();
                var pairs = module
                    .SelectMany(change => change.Value)
                    .OfType<DeltaChange>()
                    .Select(change => (Pair: (PairDelta)change.Delta, change.Scale))
                    .ToList();
                var offsets = module.SelectMany(change => change.Value).OfType<DirectChange>().ToList();
                var down = pairs.Count == 0 ? null : cat([.. pairs.Select(change => change.Pair.Down.Exact(CPU).flatten(1))], 0);
                var up =
                    pairs.Count == 0 ? null : cat([.. pairs.Select(change => change.Pair.Up.Exact(CPU).flatten(1) * change.Scale)], 1);
                var offset =
                    offsets.Count == 0
                        ? null
                        : offsets.Select(change => change.Values.Exact(CPU).flatten() * change.Scale).Aggregate((sum, next) => sum + next);
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

    private static bool IsOfProduct(string tensor) =>
        !tensor.Contains("norm", StringComparison.Ordinal) && !tensor.EndsWith("modulation", StringComparison.Ordinal);
}
