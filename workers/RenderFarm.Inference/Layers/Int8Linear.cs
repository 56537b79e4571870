using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// A product in int8: weights with a scale per output channel, rows with a scale each, summed exactly in int32, bf16 out. For cards
/// without fp8 units.
/// </summary>
/// <param name="weight">int8 [out, in].</param>
/// <param name="scales">Float32 [out, 1].</param>
/// <param name="bias">bf16 [out].</param>
public sealed class Int8Linear(Tensor weight, Tensor scales, Tensor? bias, IInt8Products products) : Linear
{
    public override RowFormat Input => RowFormat.Int8;

    public override Tensor Apply(Tensor x)
    {
        using var rows = products.Quantize(x);
        return Apply(rows);
    }

    public override Tensor Apply(Activation x)
    {
        if (x.Scales is null)
        {
            return Apply(x.Values);
        }

        using var scope = NewDisposeScope();
        var rows = new Activation(x.Values.reshape(-1, weight.shape[1]), x.Scales.reshape(-1, 1));
        var product = products.Apply(rows, weight, scales, bias);
        return product.view([.. x.Values.shape[..^1], weight.shape[0]]).MoveToOuterDisposeScope();
    }
}
