using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Synthetic;

/// <summary>A checkpoint of whatever tensors a module asks for, each filled from its own name.</summary>
internal sealed class SyntheticSource(IReadOnlyList<TensorEntry> entries) : ITensorSource
{
    public static SyntheticSource For<T>(Func<IWeights, T> build) => new(WeightListing.Of(build, ScalarType.Float32));

    public static Loaded<T> Build<T>(Func<IWeights, T> build, ScalarType type = ScalarType.Float32)
    {
        using var source = For(build);
        return LoadedWeights.Build(source, CPU, type, build);
    }

    public string Name => "synthetic";

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; } = entries.ToDictionary(entry => entry.Name);

    public Tensor Load(string name)
    {
        using var scope = NewDisposeScope();
        var shape = Entries[name].Shape.ToArray();
        var u = tensor(SyntheticValues.Of(name, Entries[name].Elements), ScalarType.Float64).view(shape);
        return Scaled(name, shape, u).to(ScalarType.Float32).DetachFromDisposeScope();
    }

    public void Dispose()
    {
    }

    private static Tensor Scaled(string name, long[] shape, Tensor u)
    {
        string part = name[(name.LastIndexOf('.') + 1)..];
        bool table = name.Contains("embedding.weight") && !name.Contains("patch_embedding.weight");
        if (part == "weight" && shape.Length >= 2 && !table) return u * Math.Sqrt(3.0 / (u.numel() / shape[0]));
        if (part == "gamma" || part == "weight" && shape.Length == 1) return u * 0.1 + 1;
        return u * (part == "bias" ? 0.1 : 0.5);
    }
}
