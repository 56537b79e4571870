using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>Every token of the video attends to every other; positions are rotated into q and k.</summary>
internal sealed class SelfAttention
{
    private readonly Linear _qkv,
        _o;
    private readonly HeadNorms _norms; // Over all heads together, before they are told apart

    public SelfAttention(IWeights weights, TransformerShape shape)
    {
        _qkv = weights.Joined(["q", "k", "v"], shape.Dim, shape.Dim);
        _o = weights.Linear("o", shape.Dim, shape.Dim);
        var exact = weights.As(ScalarType.Float32);
        var (query, key) = (exact.Tensor("norm_q.weight", shape.Dim), exact.Tensor("norm_k.weight", shape.Dim));
        _norms = new HeadNorms(query, key, shape.Epsilon, shape.Heads);
    }

    public RowFormat Input => _qkv.Input;

    /// <param name="x">[B, L, dim], taken over: at long videos every tensor that lives no longer than it must is half a gigabyte.</param>
    /// <param name="index">Which block this is now.</param>
    public Tensor Apply(Activation x, int index, BlockInput input)
    {
        Tensor joined;
        using (x)
        {
            joined = _qkv.Apply(x); // [B, L, 3·dim]
        }

        Activation rows;
        using (var attended = input.Attention.Apply(index, joined, _norms, input.Rotary))
        {
            rows = input.Ops.Rows(attended, _o.Input);
        }

        using (rows)
        {
            return _o.Apply(rows);
        }
    }
}
