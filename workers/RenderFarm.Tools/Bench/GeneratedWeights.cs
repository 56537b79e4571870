using RenderFarm.Inference.Layers;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench;

/// <summary>
/// Random weights made on the card when they are asked for. A tensor's values depend on its name, its shape and the seed
/// only and are exact in bf16, so that every precision, and the float32 it is compared with, runs on the same weights.
/// </summary>
internal sealed class GeneratedWeights(long seed, Device device, string prefix = "", ScalarType type = ScalarType.BFloat16)
    : IWeights,
        IDisposable
{
    private readonly List<Tensor> _made = [];

    public ScalarType Type => type;

    public IWeights Scope(string name) => Sharing($"{prefix}{name}.", type);

    public IWeights As(ScalarType other) => Sharing(prefix, other);

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape)
    {
        using var values = Values(name, shape);
        var tensor = values.to(type, copy: true).DetachFromDisposeScope();
        _made.Add(tensor);
        return tensor;
    }

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
        new DenseLinear(Tensor(name + ".weight", outFeatures, inFeatures), bias ? Tensor(name + ".bias", outFeatures) : null);

    /// <summary>bf16; the caller owns it.</summary>
    public Tensor Values(string name, ReadOnlySpan<long> shape)
    {
        var full = prefix + name;
        var spread = RandomInitializer.For(new ExpectedTensor(full, shape.ToArray()));
        cuda.manual_seed((long)RandomInitializer.SeedOf(seed, full)); // TorchSharp's own generators live on the CPU
        using var values = randn(shape.ToArray(), dtype: ScalarType.Float32, device: device);
        return values.mul_(spread.Deviation).add_(spread.Mean).to(ScalarType.BFloat16).DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var tensor in _made)
        {
            tensor.Dispose();
        }

        _made.Clear();
    }

    private GeneratedWeights(GeneratedWeights root, long seed, Device device, string prefix, ScalarType type)
        : this(seed, device, prefix, type) => _made = root._made;

    private GeneratedWeights Sharing(string scope, ScalarType other) => new(this, seed, device, scope, other);
}
