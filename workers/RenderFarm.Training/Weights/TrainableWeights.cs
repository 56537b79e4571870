using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Training.Weights;

/// <summary>Tensors through which gradients flow, in the compute type and in float32. Owns none of them.</summary>
internal sealed class TrainableWeights(
    ScalarType type,
    IReadOnlyDictionary<string, Tensor> exact,
    IReadOnlyDictionary<string, Tensor> lower,
    string prefix = ""
) : IWeights
{
    public ScalarType Type => type;

    public IWeights Scope(string name) => new TrainableWeights(type, exact, lower, $"{prefix}{name}.");

    public IWeights As(ScalarType other) =>
        other == type ? this
        : other == ScalarType.Float32 ? new TrainableWeights(other, exact, exact, prefix)
        : throw new NotSupportedException($"weights are trained in {type} and float32, not in {other}");

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape)
    {
        if (!lower.TryGetValue(prefix + name, out var tensor))
        {
            throw new ArgumentException($"there is no parameter '{prefix}{name}'", nameof(name));
        }

        return tensor.shape.AsSpan().SequenceEqual(shape)
            ? tensor
            : throw new ArgumentException(
                $"'{prefix}{name}' is [{string.Join(", ", tensor.shape)}], not [{string.Join(", ", shape.ToArray())}]",
                nameof(shape)
            );
    }

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
        new DenseLinear(Tensor(name + ".weight", outFeatures, inFeatures), bias ? Tensor(name + ".bias", outFeatures) : null);
}
