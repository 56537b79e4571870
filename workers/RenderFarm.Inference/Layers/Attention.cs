using RenderFarm.Inference.Arithmetic;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>Multi-head attention on tokens whose heads lie side by side.</summary>
public static class Attention
{
    /// <summary>
    /// Every query attends to every key, scaled by 1/√headDim, no mask: a mask would rule out the fused kernels, and the plain
    /// one needs memory for tokens × tokens.
    /// </summary>
    /// <param name="q">[B, L, H, D]; its type is the result's.</param>
    /// <param name="k">[B, S, H, D]</param>
    /// <param name="v">[B, S, H, D]</param>
    /// <returns>[B, L, H·D]</returns>
    public static Tensor Apply(Tensor q, Tensor k, Tensor v)
    {
        using var scope = NewDisposeScope();
        var x = HeadAttention.Apply(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)); // [B, H, L, D]
        return x.transpose(1, 2).flatten(2).MoveToOuterDisposeScope();
    }
}
