using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Inference.TokenAttention;

/// <summary>Attention in the type of the rows: bf16 on a card, float32 elsewhere.</summary>
public sealed class FullAttention(ITokenOps ops) : IAttention
{
    public Tensor Apply(int block, Tensor joined, HeadNorms norms, Tensor angles)
    {
        using (joined)
        {
            using var scope = NewDisposeScope();
            var (q, k, v) = Turned(joined, norms, angles);
            return Attention.Apply(q, k, v).MoveToOuterDisposeScope();
        }
    }

    /// <summary>q and k normed and turned, and v: each [B, L, H, D]. May change <paramref name="joined"/>, once.</summary>
    internal (Tensor Q, Tensor K, Tensor V) Turned(Tensor joined, HeadNorms norms, Tensor angles)
    {
        var parts = joined.chunk(3, 2); // [B, L, H·D] each
        var q = ops.NormRotate(parts[0], norms.Query, norms.Epsilon, norms.Heads, angles);
        var k = ops.NormRotate(parts[1], norms.Key, norms.Epsilon, norms.Heads, angles);
        return (q, k, parts[2].unflatten(2, norms.Heads, parts[2].shape[2] / norms.Heads));
    }
}
