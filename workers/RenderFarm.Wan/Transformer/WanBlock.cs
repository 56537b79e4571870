using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>What all blocks of one forward share.</summary>
/// <param name="Rotary">[L, 1, headDim/2], see <see cref="RotaryTables"/>.</param>
/// <param name="FeedForwardTokens">How many tokens go through the feed-forward at once; it is the widest place of a block.</param>
public sealed record BlockInput(Modulation Modulation, Tensor Rotary, ContextCache Context, long FeedForwardTokens = long.MaxValue);

/// <summary>
/// A DiT block. Knows its weights only by their tensors: built once over a ring slot, it is every block that passes
/// through that slot. The residual stream, norms and modulation are float32; products are in the weights' type.
/// </summary>
public sealed class WanBlock
{
    private readonly ScalarType _type;
    private readonly Tensor _modulation;
    private readonly LayerNorm _norm; // norm1 and norm2 have no weights
    private readonly LayerNorm _norm3;
    private readonly SelfAttention _selfAttention;
    private readonly CrossAttention _crossAttention;
    private readonly Linear _ffn0, _ffn2;

    /// <param name="weights">The scope of one block, <c>blocks.N</c>.</param>
    public WanBlock(IWeights weights, TransformerShape shape)
    {
        _type = weights.Type;
        _modulation = weights.As(ScalarType.Float32).Tensor("modulation", 1, 6, shape.Dim);
        _norm = new LayerNorm(shape.Dim, shape.Epsilon);
        _norm3 = LayerNorm.Affine(weights.Scope("norm3"), shape.Dim, shape.Epsilon);
        _selfAttention = new SelfAttention(weights.Scope("self_attn"), shape);
        _crossAttention = new CrossAttention(weights.Scope("cross_attn"), shape);
        _ffn0 = weights.Linear("ffn.0", shape.Dim, shape.FfnDim);
        _ffn2 = weights.Linear("ffn.2", shape.FfnDim, shape.Dim);
    }

    /// <param name="x">Float32 [B, L, dim].</param>
    /// <param name="index">Which block this is now; the prompt's keys and values are kept by it.</param>
    public Tensor Apply(Tensor x, int index, BlockInput input)
    {
        using var scope = NewDisposeScope();
        var m = input.Modulation;
        var e = (m.E0 + _modulation).unbind(2);                                               // six of [B, R, dim]
        var (shiftSelf, scaleSelf, gateSelf, shiftFfn, scaleFfn, gateFfn) = (e[0], e[1], e[2], e[3], e[4], e[5]);

        x = Step(y => m.AddGated(y, _selfAttention.Apply(m.Affine(_norm.Apply(y), scaleSelf, shiftSelf).to(_type), input.Rotary), gateSelf));
        x = Step(y => y + input.Context.Attend(index, _crossAttention, _norm3.Apply(y).to(_type)));
        x = Step(y => m.AddGated(y, FeedForward(m.Affine(_norm.Apply(y), scaleFfn, shiftFfn).to(_type), input.FeedForwardTokens), gateFfn));
        return x.MoveToOuterDisposeScope();

        // temporaries of one step are gone before the next begins
        Tensor Step(Func<Tensor, Tensor> step)
        {
            using var inner = NewDisposeScope();
            return step(x).MoveToOuterDisposeScope();
        }
    }

    private Tensor FeedForward(Tensor x, long tokens)
    {
        if (x.shape[1] <= tokens) return Apply(x);
        return cat([.. x.split(tokens, 1).Select(Apply)], 1);

        Tensor Apply(Tensor part)
        {
            using var scope = NewDisposeScope();
            var hidden = nn.functional.gelu(_ffn0.Apply(part), TorchSharp.Modules.GELU.Approximate.tanh); // [B, n, ffn]
            return _ffn2.Apply(hidden).MoveToOuterDisposeScope();
        }
    }
}
