using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>
/// A checkpoint with LoRAs merged in: changed tensors come in float32, cast up and scaled first if they were stored in eight
/// bits, all changes made before anything is rounded. Whoever quantises them does it afresh. Owns neither.
/// </summary>
/// <param name="device">Where products are formed; a card does it many times faster than cores.</param>
public sealed class MergedSource(ITensorSource source, IReadOnlyDictionary<string, IReadOnlyList<TensorChange>> changes, Device device)
    : ITensorSource
{
    private readonly CastUpSource _dense = new(source);

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
        using var stored = _dense.Load(name);
        var merged = own.Aggregate(stored.to(ScalarType.Float32, device, copy: true), (weight, change) => change.ApplyTo(weight));
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

    private static bool IsScaleOfChanged(string key, IReadOnlyDictionary<string, IReadOnlyList<TensorChange>> changes)
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
