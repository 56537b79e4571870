using System.Collections.Frozen;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// A checkpoint in whatever layout, as if it had the original one: prefix off, names changed back, tensors that others cut
/// in parts joined. Scales of quantised weights keep their place beside them. Owns the source.
/// </summary>
public sealed class OriginalSource : ITensorSource
{
    private readonly ITensorSource _source;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<TensorEntry>> _stored;
    private readonly Lazy<IReadOnlySet<string>> _inFullPrecision;

    private OriginalSource(ITensorSource source, Naming naming)
    {
        _source = source;
        _stored = naming.Apply(source.Entries.Values);
        Entries = _stored.ToDictionary(pair => pair.Key, pair => Joined(pair.Key, pair.Value), StringComparer.Ordinal);
        _inFullPrecision = new(() =>
            FullPrecisionHints.Of(source).Select(layer => naming.NameOf($"{layer}.weight")).OfType<string>().ToFrozenSet()
        );
    }

    /// <param name="source">Taken over.</param>
    /// <exception cref="CheckpointException">Nothing of this kind is in it, or a relative that is not rendered.</exception>
    public static OriginalSource Of(ITensorSource source, CheckpointKind kind)
    {
        try
        {
            var naming =
                Naming.Find(source.Entries.Keys, kind)
                ?? throw new CheckpointException(
                    source.Name,
                    "keys",
                    $"there is no {kind} in it; it is {CheckpointRecognition.Describe(source).What}"
                );
            var original = new OriginalSource(source, naming);
            if (kind == CheckpointKind.Transformer && Relatives.Of(original.Entries.Keys) is { } relative)
            {
                throw new CheckpointException(source.Name, relative.Key, $"belongs to {relative.Name}, which is not rendered");
            }

            if (original.Entries.Keys.FirstOrDefault(key => key.EndsWith(".weight_scale_2", StringComparison.Ordinal)) is { } packed)
            {
                throw new CheckpointException(
                    source.Name,
                    packed,
                    "belongs to nvfp4, which is not read; take a bf16 or fp8 file of the model"
                );
            }

            return original;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    public string Name => _source.Name;

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public bool LoadsInParallel => _source.LoadsInParallel;

    public IReadOnlySet<string> InFullPrecision => _inFullPrecision.Value;

    public nint? AddressOf(string name) => Find(name) is [var whole] ? _source.AddressOf(whole.Name) : null;

    public Tensor Load(string name)
    {
        var parts = Find(name);
        var shape = Entries[name].Shape.ToArray();
        if (parts.Count == 1)
        {
            var whole = _source.Load(parts[0].Name);
            if (parts[0].Shape.SequenceEqual(shape))
            {
                return whole;
            }

            using (whole)
            {
                return whole.reshape(shape).DetachFromDisposeScope();
            }
        }
        var loaded = parts.Select(part => _source.Load(part.Name)).ToList();
        try
        {
            return cat(loaded, 0).DetachFromDisposeScope();
        }
        finally
        {
            loaded.ForEach(tensor => tensor.Dispose());
        }
    }

    public Tensor LoadRows(string name, IReadOnlyList<long> rows)
    {
        var parts = Find(name);
        if (parts.Count == 1)
        {
            return _source.LoadRows(parts[0].Name, rows);
        }

        using var whole = Load(name);
        using var index = tensor(rows.ToArray());
        return whole.index_select(0, index).DetachFromDisposeScope();
    }

    public void Dispose() => _source.Dispose();

    private IReadOnlyList<TensorEntry> Find(string name) =>
        _stored.TryGetValue(name, out var parts) ? parts : throw new CheckpointException(Name, name, "there is no such tensor");

    /// <summary>Original name and shape; CLIP's class token and positions have dimensions of size 1 in front there.</summary>
    internal static TensorEntry Joined(string name, IReadOnlyList<TensorEntry> parts)
    {
        var first = parts[0];
        long[] shape =
            parts.Count == 1 ? [.. first.Shape] : [parts.Sum(part => part.Shape.Count > 0 ? part.Shape[0] : 0), .. first.Shape.Skip(1)];
        if (name is "visual.cls_embedding" or "visual.pos_embedding")
        {
            shape = [.. Enumerable.Repeat(1L, Math.Max(0, 3 - shape.Length)), .. shape];
        }

        return first with { Name = name, Shape = shape };
    }
}
