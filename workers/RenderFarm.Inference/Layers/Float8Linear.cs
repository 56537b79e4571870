using RenderFarm.Cuda.Aten;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// A product in e4m3: weights with a scale per output channel, rows with a scale each, accumulated in float32, bf16 out.
/// Needs a card with fp8 units.
/// </summary>
/// <param name="weight">e4m3 [out, in].</param>
/// <param name="scales">Float32 [out, 1].</param>
/// <param name="bias">bf16 [out].</param>
public sealed class Float8Linear(Tensor weight, Tensor scales, Tensor? bias, FusedTokenOps ops) : Linear
{
    public override RowFormat Input => RowFormat.Float8;

    public override Tensor Apply(Tensor x)
    {
        using var dense = x.dtype == ScalarType.BFloat16 ? x.alias() : x.to(ScalarType.BFloat16);
        using var rows = ops.Quantize(dense, RowFormat.Float8, gelu: false);
        return Apply(rows);
    }

    public override Tensor Apply(Activation x)
    {
        if (x.Scales is null)
        {
            return Apply(x.Values);
        }

        using var scope = NewDisposeScope();
        var inFeatures = weight.shape[1];
        var outFeatures = weight.shape[0];
        var product = AtenOps.ScaledMm(x.Values.view(-1, inFeatures), weight.t(), x.Scales.view(-1, 1), scales.view(1, outFeatures), bias);
        return product.view([.. x.Values.shape[..^1], outFeatures]).MoveToOuterDisposeScope();
    }
}
