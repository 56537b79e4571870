using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>The definition, in plain tensors on any device. Sums are exact: float64 holds every one that int32 does.</summary>
public sealed class PlainInt8Products : IInt8Products
{
    public Activation Quantize(Tensor x)
    {
        var (values, scales) = Int8.QuantizeRows(x);
        return new Activation(values, scales);
    }

    public Tensor Apply(Activation rows, Tensor weight, Tensor scales, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var sums = rows.Values.to(ScalarType.Float64).matmul(weight.to(ScalarType.Float64).t());
        var scaled = sums.to(ScalarType.Float32) * (rows.Scales! * scales.t());
        return (bias is null ? scaled : scaled + bias.to(ScalarType.Float32)).to(ScalarType.BFloat16).MoveToOuterDisposeScope();
    }
}
