using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// A checkpoint as if it had never been quantised: eight-bit weights come cast up and scaled, and the tensors that belong
/// to the quantisation are not there. For whatever is not prepared block by block. Does not own the source.
/// </summary>
public sealed class CastUpSource(ITensorSource source) : ITensorSource
{
    public string Name => source.Name;

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; } =
        source.Entries.Where(entry => !Quantizations.IsMarker(entry.Key)).ToDictionary(StringComparer.Ordinal);

    public Tensor Load(string name)
    {
        var stored = source.Load(name);
        using var scope = NewDisposeScope();
        var dense = BlockPreparer.Dense(source, name, stored);
        if (ReferenceEquals(dense, stored))
        {
            return stored;
        }

        stored.Dispose();
        return dense.DetachFromDisposeScope();
    }

    public Tensor LoadRows(string name, IReadOnlyList<long> rows)
    {
        if (source.Entries[name].Type.Bytes > 1)
        {
            return source.LoadRows(name, rows);
        }

        // Gathered before it is cast up and scaled: a whole table of tokens in float32 takes gigabytes
        var stored = source.LoadRows(name, rows);
        using var scope = NewDisposeScope();
        var dense = BlockPreparer.Dense(source, name, stored, rows);
        if (ReferenceEquals(dense, stored))
        {
            return stored;
        }

        stored.Dispose();
        return dense.DetachFromDisposeScope();
    }

    public void Dispose() { }
}
