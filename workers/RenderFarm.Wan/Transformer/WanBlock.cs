using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>What all blocks of one forward share.</summary>
/// <param name="Rotary">[L, 1, headDim/2], see <see cref="RotaryTables"/>.</param>
/// <param name="Attention">How the video's tokens attend to each other.</param>
/// <param name="FeedForwardTokens">How many tokens go through the feed-forward at once; it is the widest place of a block.</param>
public sealed record BlockInput(
    Modulation Modulation,
    Tensor Rotary,
    ContextCache Context,
    ITokenOps Ops,
    IAttention Attention,
    long FeedForwardTokens = long.MaxValue
);

/// <summary>
/// A DiT block. Knows its weights only by their tensors: built once over a ring slot, it is every block that passes
/// through that slot. The residual stream, norms and modulation are float32; products are in the weights' type.
/// </summary>
public sealed class WanBlock
{
    private readonly double _epsilon;
    private readonly Tensor _modulation;
    private readonly Tensor _norm3Weight,
        _norm3Bias; // norm1 and norm2 have no weights
    private readonly SelfAttention _selfAttention;
    private readonly CrossAttention _crossAttention;
    private readonly Linear _ffn0,
        _ffn2;

    /// <param name="weights">The scope of one block, <c>blocks.N</c>.</param>
    public WanBlock(IWeights weights, TransformerShape shape)
    {
        var exact = weights.As(ScalarType.Float32);
        _epsilon = shape.Epsilon;
        _modulation = exact.Tensor("modulation", 1, 6, shape.Dim);
        _norm3Weight = exact.Scope("norm3").Tensor("weight", shape.Dim);
        _norm3Bias = exact.Scope("norm3").Tensor("bias", shape.Dim);
        _selfAttention = new SelfAttention(weights.Scope("self_attn"), shape);
        _crossAttention = new CrossAttention(weights.Scope("cross_attn"), shape);
        _ffn0 = weights.Linear("ffn.0", shape.Dim, shape.FfnDim);
        _ffn2 = weights.Linear("ffn.2", shape.FfnDim, shape.Dim);
    }

    /// <param name="x">Float32 [B, L, dim], given up by the caller: the result may be the same memory.</param>
    /// <param name="index">Which block this is now; the prompt's keys and values are kept by it.</param>
    public Tensor Apply(Tensor x, int index, BlockInput input)
    {
        using var scope = NewDisposeScope();
        var (ops, m) = (input.Ops, input.Modulation);
        var e = (m.E0 + _modulation).unbind(2); // Six of [B, R, dim]
        var (shiftSelf, scaleSelf, gateSelf, shiftFfn, scaleFfn, gateFfn) = (e[0], e[1], e[2], e[3], e[4], e[5]);
        Tensor y;

        y = _selfAttention.Apply(ops.Norm(x, m.Affine(scaleSelf, shiftSelf, _epsilon), _selfAttention.Input), index, input);
        var (x1, z1) = Then(y, ops.AddNorm(x, y, m.Gate(gateSelf), Norm3, _crossAttention.Input));
        y = input.Context.Attend(index, _crossAttention, z1, ops);
        var (x2, z2) = Then(y, ops.AddNorm(x1, y, gate: null, m.Affine(scaleFfn, shiftFfn, _epsilon), _ffn0.Input));
        x1.Dispose();
        using (z2)
        {
            y = FeedForward(z2, ops, input.FeedForwardTokens);
        }

        return Then(y, ops.Add(x2, y, m.Gate(gateFfn))).MoveToOuterDisposeScope();
    }

    private NormAffine Norm3 =>
        new(
            new PerRun(_norm3Weight.view(1, 1, -1), [long.MaxValue]),
            new PerRun(_norm3Bias.view(1, 1, -1), [long.MaxValue]),
            AddsOne: false,
            _epsilon
        );

    private static T Then<T>(Tensor used, T result)
    {
        used.Dispose();
        return result;
    }

    private Tensor FeedForward(Activation x, ITokenOps ops, long tokens)
    {
        var length = x.Values.shape[1];
        if (length <= tokens)
        {
            return Apply(x);
        }

        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (long start = 0; start < length; start += tokens)
        {
            parts.Add(Apply(x.Tokens(start, Math.Min(tokens, length - start))));
        }

        return cat(parts, 1).MoveToOuterDisposeScope();

        Tensor Apply(Activation part)
        {
            using var hidden = _ffn0.ApplyGelu(part, ops, _ffn2.Input); // [B, n, ffn]
            return _ffn2.Apply(hidden);
        }
    }
}
