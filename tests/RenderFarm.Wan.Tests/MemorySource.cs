using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests;

/// <summary>Tensors in memory as if they came from a file; owns them.</summary>
internal sealed class MemorySource : ITensorSource
{
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    public MemorySource(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        foreach (var (name, values) in tensors)
        {
            _tensors.Add(name, values.clone().DetachFromDisposeScope());
        }

        Entries = _tensors.ToDictionary(
            pair => pair.Key,
            pair => new TensorEntry(pair.Key, ElementType.Of(pair.Value.dtype), pair.Value.shape),
            StringComparer.Ordinal
        );
    }

    public string Name => "memory";

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public Tensor Load(string name) => _tensors[name].clone().DetachFromDisposeScope();

    public void Dispose()
    {
        foreach (var values in _tensors.Values)
        {
            values.Dispose();
        }
    }
}
