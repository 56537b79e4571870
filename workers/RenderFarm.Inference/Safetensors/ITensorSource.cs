using System.Collections.Frozen;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Safetensors;

/// <summary>Name, type and shape of a stored tensor; known without reading its data.</summary>
/// <param name="Type">What it is when it has been loaded.</param>
public sealed record TensorEntry(string Name, ElementType Type, IReadOnlyList<long> Shape)
{
    /// <summary>How it is stored, where loading decodes it; null where it is stored as it is loaded.</summary>
    public PackedType? Packed { get; init; }

    public long Elements => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>As stored.</summary>
    public long Bytes => checked(Packed is { } packed ? Elements / packed.Elements * packed.Bytes : Elements * Type.Bytes);

    public string StoredAs => Packed?.Name ?? Type.Name;

    public override string ToString() => $"{Name} {StoredAs} [{string.Join(", ", Shape)}]";
}

/// <summary>Elements that are stored in blocks of some bytes.</summary>
public sealed record PackedType(string Name, int Elements, int Bytes);

/// <summary>Where named tensors come from: a file, several shards, or memory.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>What messages call it: the file, or the first of several.</summary>
    string Name { get; }

    IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    /// <summary>What the file says of itself beside its tensors.</summary>
    IReadOnlyDictionary<string, string> Metadata => FrozenDictionary<string, string>.Empty;

    /// <summary>Weights whose products the file wants in the compute type, in however few bits it stores them.</summary>
    IReadOnlySet<string> InFullPrecision => FrozenSet<string>.Empty;

    /// <summary>Whether several threads may load at a time.</summary>
    bool LoadsInParallel => false;

    /// <summary>
    /// Where its stored bytes lie in this process, for as long as the source is open; null where they have to be loaded.
    /// </summary>
    nint? AddressOf(string name) => null;

    /// <summary>A copy in host memory, in the stored type. The caller owns it; no dispose scope does.</summary>
    Tensor Load(string name);

    /// <summary>
    /// A copy of some rows of the first dimension, [rows.Count, …], where the whole may be too much to load. The caller owns it;
    /// no dispose scope does.
    /// </summary>
    Tensor LoadRows(string name, IReadOnlyList<long> rows)
    {
        using var whole = Load(name);
        using var index = tensor(rows.ToArray());
        return whole.index_select(0, index).DetachFromDisposeScope();
    }
}
