using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>Every token of the video attends to every other; positions are rotated into q and k.</summary>
internal sealed class SelfAttention
{
    private readonly TransformerShape _shape;
    private readonly Linear _qkv,
        _o;
    private readonly Tensor _normQ,
        _normK; // Over all heads together, before they are told apart

    public SelfAttention(IWeights weights, TransformerShape shape)
    {
        _shape = shape;
        _qkv = weights.Joined(["q", "k", "v"], shape.Dim, shape.Dim);
        _o = weights.Linear("o", shape.Dim, shape.Dim);
        var exact = weights.As(ScalarType.Float32);
        _normQ = exact.Tensor("norm_q.weight", shape.Dim);
        _normK = exact.Tensor("norm_k.weight", shape.Dim);
    }

    public RowFormat Input => _qkv.Input;

    /// <param name="x">[B, L, dim], taken over: at long videos every tensor that lives no longer than it must is half a gigabyte.</param>
    public Tensor Apply(Activation x, Tensor rotary, ITokenOps ops)
    {
        Activation rows;
        using (var attended = Attend(x, rotary, ops))
        {
            rows = ops.Rows(attended, _o.Input);
        }

        using (rows)
        {
            return _o.Apply(rows);
        }
    }

    private Tensor Attend(Activation x, Tensor rotary, ITokenOps ops)
    {
        using var scope = NewDisposeScope();
        Tensor joined;
        using (x)
        {
            joined = _qkv.Apply(x);
        }

        var parts = joined.chunk(3, 2); // [B, L, dim] each
        var q = ops.NormRotate(parts[0], _normQ, _shape.Epsilon, _shape.Heads, rotary); // [B, L, H, D]
        var k = ops.NormRotate(parts[1], _normK, _shape.Epsilon, _shape.Heads, rotary);
        var v = parts[2].unflatten(2, _shape.Heads, _shape.HeadDim);
        return Attention.Apply(q, k, v).MoveToOuterDisposeScope();
    }
}
