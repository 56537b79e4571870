using RenderFarm.Inference.Gguf;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// A GGUF file with the shapes that its tensors had: ggml knows four dimensions and forgets leading ones of size one, so that converters
/// fold some, and write the true shape beside them or nothing. Owns the file.
/// </summary>
public sealed class GgufCheckpoint : ITensorSource
{
    private const string OriginalShape = "comfy.gguf.orig_shape.";
    private readonly GgufFile _file;

    private GgufCheckpoint(GgufFile file)
    {
        _file = file;
        Entries = file.Entries.Values.Select(Unfolded).ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <exception cref="CheckpointException">Missing, malformed, or a type that is not read; names the field.</exception>
    public static GgufCheckpoint Open(string path)
    {
        var file = GgufFile.Open(path);
        try
        {
            return new GgufCheckpoint(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public string Name => _file.Name;

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    public bool LoadsInParallel => _file.LoadsInParallel;

    /// <summary>The arrays of its metadata.</summary>
    internal GgufFile File => _file;

    public nint? AddressOf(string name) => _file.AddressOf(name);

    public Tensor Load(string name)
    {
        var stored = _file.Load(name);
        var entry = Entries[name];
        if (stored.shape.SequenceEqual(entry.Shape))
        {
            return stored;
        }

        using (stored)
        {
            return stored.reshape([.. entry.Shape]).DetachFromDisposeScope();
        }
    }

    public Tensor LoadRows(string name, IReadOnlyList<long> rows)
    {
        if (_file.Entries.TryGetValue(name, out var stored) && stored.Shape.SequenceEqual(Entries[name].Shape))
        {
            return _file.LoadRows(name, rows);
        }

        using var whole = Load(name);
        using var index = tensor(rows.ToArray());
        return whole.index_select(0, index).DetachFromDisposeScope();
    }

    public void Dispose() => _file.Dispose();

    private TensorEntry Unfolded(TensorEntry entry)
    {
        if (_file.Numbers(OriginalShape + entry.Name) is { } told)
        {
            return Told(entry, told);
        }

        if (entry.Name.EndsWith("patch_embedding.weight", StringComparison.Ordinal) && entry.Shape.Count != 5)
        {
            return PatchEmbedding(entry);
        }

        // [1, 6, dim], of which the one may be gone
        var leads =
            entry.Name.EndsWith("modulation", StringComparison.Ordinal)
            || entry.Name.EndsWith("scale_shift_table", StringComparison.Ordinal)
            || entry.Name.EndsWith("emb_pos", StringComparison.Ordinal);
        return leads && entry.Shape.Count == 2 ? entry with { Shape = [1, .. entry.Shape] } : entry;
    }

    private TensorEntry Told(TensorEntry entry, IReadOnlyList<double> sizes)
    {
        var key = OriginalShape + entry.Name;
        if (sizes.Count > 8 || sizes.Any(size => size is < 1 or > int.MaxValue || size != Math.Floor(size)))
        {
            throw new CheckpointException(Name, key, "is no list of sizes");
        }

        var shape = sizes.Select(size => (long)size).ToArray();
        var elements = shape.Aggregate((UInt128)1, (product, size) => product > long.MaxValue ? product : product * (UInt128)size);
        return elements == (UInt128)entry.Elements
            ? entry with { Shape = shape }
            : throw new CheckpointException(
                Name,
                key,
                $"[{string.Join(", ", shape)}] is not of the {entry.Elements} numbers that are stored"
            );
    }

    /// <summary>[dim, in, 1, 2, 2] in fewer dimensions: its bias tells dim.</summary>
    private TensorEntry PatchEmbedding(TensorEntry entry)
    {
        var bias = entry.Name[..^"weight".Length] + "bias";
        const long Kernel = 4;
        return
            _file.Entries.TryGetValue(bias, out var offsets)
            && offsets is { Elements: > 0 and < 1 << 20 and var dim }
            && entry.Elements % (dim * Kernel) == 0
            ? entry with { Shape = [dim, entry.Elements / (dim * Kernel), 1, 2, 2] }
            : entry;
    }
}
