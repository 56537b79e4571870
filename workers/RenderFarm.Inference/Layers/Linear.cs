using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>A product with a weight matrix, however that is stored.</summary>
public abstract class Linear
{
    /// <summary>[…, in] → […, out]. Takes any floating type; the result is in the compute type of the weights.</summary>
    public abstract Tensor Apply(Tensor x);
}

/// <summary>Weight [out, in] and bias [out] in the type that they multiply in.</summary>
public sealed class DenseLinear(Tensor weight, Tensor? bias) : Linear
{
    public override Tensor Apply(Tensor x)
    {
        if (x.dtype == weight.dtype) return nn.functional.linear(x, weight, bias);
        using var cast = x.to(weight.dtype);
        return nn.functional.linear(cast, weight, bias);
    }
}
