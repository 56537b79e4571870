using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>
/// A checkpoint with LoRAs merged in: changed tensors come in float32, cast up and scaled first if they were stored in eight
/// bits, all changes summed before anything is rounded. Whoever quantises them does it afresh. Owns neither.
/// </summary>
/// <param name="device">Where products are formed; a card does it many times faster than cores.</param>
public sealed class MergedSource(ITensorSource source, IReadOnlyDictionary<string, TensorChanges> changes, Device device) : ITensorSource
{
    public string Name => source.Name;

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; } =
        source
            .Entries.Values.Where(entry => !IsScaleOfChanged(entry.Name, changes))
            .Select(entry => changes.ContainsKey(entry.Name) ? entry with { Type = ElementType.Of(ScalarType.Float32) } : entry)
            .ToDictionary(entry => entry.Name, StringComparer.Ordinal);

    public IReadOnlySet<string> InFullPrecision => source.InFullPrecision;

    public Tensor Load(string name)
    {
        if (!changes.TryGetValue(name, out var own))
        {
            return source.Load(name);
        }

        using var scope = NewDisposeScope();
        using var dense = new CastUpSource(source);
        var merged = Exact(dense, name);
        foreach (var change in own.LowRank)
        {
            merged = merged + ProductOf(change).reshape(merged.shape);
        }

        foreach (var change in own.Direct)
        {
            merged = merged + Exact(change.Source, change.Key).reshape(merged.shape) * change.Scale;
        }

        return merged.cpu().DetachFromDisposeScope();
    }

    public Tensor LoadRows(string name, IReadOnlyList<long> rows)
    {
        if (!changes.ContainsKey(name))
        {
            return source.LoadRows(name, rows);
        }

        using var whole = Load(name);
        using var index = tensor(rows.ToArray());
        return whole.index_select(0, index).DetachFromDisposeScope();
    }

    public void Dispose() { }

    /// <summary>Scale · B·A, float32 [out, in]; convolutions are taken flat.</summary>
    private Tensor ProductOf(LowRankChange change)
    {
        using var scope = NewDisposeScope();
        var down = Exact(change.Source, change.Down).flatten(1); // [r, in]
        var up = Exact(change.Source, change.Up).flatten(1); // [out, r]
        return (Product.OfMatrices(up, down) * change.Scale).MoveToOuterDisposeScope();
    }

    /// <summary>Float32 on the device, in the current dispose scope.</summary>
    private Tensor Exact(ITensorSource from, string key)
    {
        using var stored = from.Load(key);
        return stored.to(ScalarType.Float32, device, copy: true);
    }

    private static bool IsScaleOfChanged(string key, IReadOnlyDictionary<string, TensorChanges> changes)
    {
        foreach (var suffix in (ReadOnlySpan<string>)[".scale_weight", ".weight_scale"])
        {
            if (key.EndsWith(suffix, StringComparison.Ordinal))
            {
                return changes.ContainsKey(key[..^suffix.Length] + ".weight");
            }
        }

        return false;
    }
}
