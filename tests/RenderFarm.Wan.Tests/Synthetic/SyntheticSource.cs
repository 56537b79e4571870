using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Synthetic;

/// <summary>A checkpoint of whatever tensors a module asks for, each filled from its own name.</summary>
internal sealed class SyntheticSource(IReadOnlyList<TensorEntry> entries) : ITensorSource
{
    public static SyntheticSource For<T>(Func<IWeights, T> build) => new(WeightListing.Of(build, ScalarType.Float32));

    public static Loaded<T> Build<T>(
        Func<IWeights, T> build,
        ScalarType type = ScalarType.Float32,
        Func<Tensor, Tensor>? arrange = null
    )
    {
        using var source = For(build);
        return LoadedWeights.Build(source, CPU, type, build, arrange: arrange);
    }

    public string Name => "synthetic";

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; } = entries.ToDictionary(entry => entry.Name);

    public Tensor Load(string name)
    {
        var entry = Entries[name];
        var (scale, offset) = Range(name, entry);
        var values = SyntheticValues.Of(name, entry.Elements).Select(u => (float)(offset + scale * u)).ToArray();
        using var unaligned = tensor(values, [.. entry.Shape]); // Lies in the array; products round differently off 64-byte borders
        return unaligned.clone().DetachFromDisposeScope();
    }

    public void Dispose() { }

    private static (double Scale, double Offset) Range(string name, TensorEntry entry)
    {
        var part = name[(name.LastIndexOf('.') + 1)..];
        var table = name.Contains("embedding.weight") && !name.Contains("patch_embedding.weight");
        if (part == "weight" && entry.Shape.Count >= 2 && !table)
        {
            return (Math.Sqrt(3.0 / (entry.Elements / entry.Shape[0])), 0);
        }

        if (part == "gamma" || part == "weight" && entry.Shape.Count == 1)
        {
            return (0.1, 1);
        }

        return (part == "bias" ? 0.1 : 0.5, 0);
    }
}
