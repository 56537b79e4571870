using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>Layer norm over the last dimension with biased variance; affine where it has weights. Always in float32.</summary>
public sealed class LayerNorm(int dim, double epsilon, Tensor? weight = null, Tensor? bias = null)
{
    public static LayerNorm Affine(IWeights weights, int dim, double epsilon)
    {
        var exact = weights.As(ScalarType.Float32);
        return new LayerNorm(dim, epsilon, exact.Tensor("weight", dim), exact.Tensor("bias", dim));
    }

    /// <summary>[…, dim] → float32 […, dim].</summary>
    public Tensor Apply(Tensor x)
    {
        using var exact = x.to(ScalarType.Float32);
        return nn.functional.layer_norm(exact, [dim], weight, bias, epsilon);
    }
}

/// <summary>Root-mean-square norm over the last dimension, with a weight and no bias. Always in float32.</summary>
public sealed class RmsNorm(IWeights weights, int dim, double epsilon)
{
    private readonly Tensor _weight = weights.As(ScalarType.Float32).Tensor("weight", dim);

    public Device Device => _weight.device;

    /// <summary>[…, dim] → float32 […, dim].</summary>
    public Tensor Apply(Tensor x)
    {
        using var scope = NewDisposeScope();
        var exact = x.to(ScalarType.Float32);
        var scale = rsqrt(exact.square().mean([-1], keepdim: true) + epsilon);
        return (exact * scale * _weight).MoveToOuterDisposeScope();
    }
}
