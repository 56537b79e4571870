using RenderFarm.Inference.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests;

/// <summary>Tensors in memory as if they came from a file; owns them.</summary>
internal sealed class MemorySource : ITensorSource
{
    private readonly Dictionary<string, Tensor> tensors = new(StringComparer.Ordinal);

    public MemorySource(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        foreach (var (name, values) in tensors)
            this.tensors.Add(name, values.clone().DetachFromDisposeScope());
        Entries = this.tensors.ToDictionary(
            pair => pair.Key,
            pair => new TensorEntry(pair.Key, ElementType.Of(pair.Value.dtype), pair.Value.shape),
            StringComparer.Ordinal
        );
    }

    public string Name => "memory";

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public Tensor Load(string name) => tensors[name].clone().DetachFromDisposeScope();

    public void Dispose()
    {
        foreach (var values in tensors.Values)
            values.Dispose();
    }
}
