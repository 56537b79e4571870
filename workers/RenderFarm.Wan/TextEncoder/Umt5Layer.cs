using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.TextEncoder;

/// <summary>
/// One encoder layer: self-attention with its own table of position biases (T5 shares the first layer's), then a gated
/// feed-forward. No biases, no 1/√d: the scale is part of the trained weights. Norms, softmax and the residual
/// stream are float32; products are in the weights' type.
/// </summary>
public sealed class Umt5Layer
{
    internal const double Epsilon = 1e-6;

    private readonly int _heads;
    private readonly ScalarType _type;
    private readonly RmsNorm _norm1,
        _norm2;
    private readonly Linear _q,
        _k,
        _v,
        _o;
    private readonly Tensor _positions; // [buckets, heads]
    private readonly Linear _gate,
        _fc1,
        _fc2;

    /// <param name="weights">The scope of one layer, <c>blocks.N</c>.</param>
    public Umt5Layer(IWeights weights, TextEncoderShape shape)
    {
        _heads = shape.Heads;
        _type = weights.Type;
        _norm1 = new RmsNorm(weights.Scope("norm1"), shape.Dim, Epsilon);
        _norm2 = new RmsNorm(weights.Scope("norm2"), shape.Dim, Epsilon);
        var attention = weights.Scope("attn");
        _q = attention.Linear("q", shape.Dim, shape.AttentionDim, bias: false);
        _k = attention.Linear("k", shape.Dim, shape.AttentionDim, bias: false);
        _v = attention.Linear("v", shape.Dim, shape.AttentionDim, bias: false);
        _o = attention.Linear("o", shape.AttentionDim, shape.Dim, bias: false);
        _positions = weights.As(ScalarType.Float32).Tensor("pos_embedding.embedding.weight", shape.Buckets, shape.Heads);
        _gate = weights.Linear("ffn.gate.0", shape.Dim, shape.FfnDim, bias: false);
        _fc1 = weights.Linear("ffn.fc1", shape.Dim, shape.FfnDim, bias: false);
        _fc2 = weights.Linear("ffn.fc2", shape.FfnDim, shape.Dim, bias: false);
    }

    /// <param name="x">Float32 [L, dim], or [B, L, dim].</param>
    /// <param name="buckets">[L, L], see <see cref="RelativePositions"/>.</param>
    /// <param name="padding">Float32 [B, 1, 1, L]: 0 for the tokens of a prompt, a large negative number behind them.</param>
    public Tensor Apply(Tensor x, Tensor buckets, Tensor? padding = null)
    {
        using var scope = NewDisposeScope();
        x = x + Attend(_norm1.Apply(x).to(_type), buckets, padding);
        x = x + FeedForward(_norm2.Apply(x).to(_type));
        return x.MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor x, Tensor buckets, Tensor? padding)
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = (Heads(_q.Apply(x)), Heads(_k.Apply(x)), Heads(_v.Apply(x))); // [.., H, L, D]
        // [H, L, L]
        var bias = _positions.index_select(0, buckets.flatten()).view(buckets.shape[0], buckets.shape[1], _heads).permute(2, 0, 1);
        if (padding is not null)
        {
            bias = bias + padding; // [B, H, L, L]
        }

        var scores = Product.OfMatrices(q, k.transpose(-2, -1)).to(ScalarType.Float32) + bias;
        var mixed = Product.OfMatrices(nn.functional.softmax(scores, -1).to(v.dtype), v); // [.., H, L, D]
        return _o.Apply(mixed.transpose(-3, -2).flatten(x.dim() - 1)).MoveToOuterDisposeScope();
    }

    private Tensor FeedForward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var gate = nn.functional.gelu(_gate.Apply(x), TorchSharp.Modules.GELU.Approximate.tanh); // [L, ffn]
        return _fc2.Apply(_fc1.Apply(x) * gate).MoveToOuterDisposeScope();
    }

    /// <summary>[.., L, H·D] → [.., H, L, D]</summary>
    private Tensor Heads(Tensor x) => x.unflatten(x.dim() - 1, _heads, x.shape[^1] / _heads).transpose(-3, -2);
}
