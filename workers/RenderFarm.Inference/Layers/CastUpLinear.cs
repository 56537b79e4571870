using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// Weights stored in eight bits, cast up to bf16 for each product: for cards without such products, and for more precision.
/// </summary>
/// <param name="weight">e4m3 or int8 [out, in].</param>
/// <param name="scales">Float32 [out, 1].</param>
/// <param name="castUp">Values and scales → bf16; a kernel on CUDA, plain tensors elsewhere.</param>
/// <param name="over">The product with a weight that was cast up.</param>
public sealed class CastUpLinear(Tensor weight, Tensor scales, Func<Tensor, Tensor, Tensor> castUp, Func<Tensor, Linear> over) : Linear
{
    public override Tensor Apply(Tensor x)
    {
        using var dense = castUp(weight, scales);
        return over(dense).Apply(x);
    }

    public override Activation ApplyGelu(Activation x, ITokenOps ops, RowFormat format)
    {
        using var dense = castUp(weight, scales);
        return over(dense).ApplyGelu(x, ops, format);
    }
}
