using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>Every token of the video attends to every other; positions are rotated into q and k.</summary>
internal sealed class SelfAttention(IWeights weights, TransformerShape shape)
{
    private readonly Linear _q = weights.Linear("q", shape.Dim, shape.Dim);
    private readonly Linear _k = weights.Linear("k", shape.Dim, shape.Dim);
    private readonly Linear _v = weights.Linear("v", shape.Dim, shape.Dim);
    private readonly Linear _o = weights.Linear("o", shape.Dim, shape.Dim);

    // over all heads together, before they are told apart
    private readonly RmsNorm _normQ = new(weights.Scope("norm_q"), shape.Dim, shape.Epsilon);
    private readonly RmsNorm _normK = new(weights.Scope("norm_k"), shape.Dim, shape.Epsilon);

    /// <param name="x">[B, L, dim]</param>
    public Tensor Apply(Tensor x, Tensor rotary)
    {
        using var scope = NewDisposeScope();
        var q = Rotated(_normQ.Apply(_q.Apply(x)));                      // [B, L, H, D]
        var k = Rotated(_normK.Apply(_k.Apply(x)));
        var v = _v.Apply(x).unflatten(2, shape.Heads, shape.HeadDim);
        return _o.Apply(Attention.Apply(q, k, v)).MoveToOuterDisposeScope();

        Tensor Rotated(Tensor t)
        {
            using (t)
            using (var heads = t.unflatten(2, shape.Heads, shape.HeadDim))
            using (var rotated = RotaryTables.Rotate(heads, rotary))
                return rotated.to(weights.Type);
        }
    }
}
