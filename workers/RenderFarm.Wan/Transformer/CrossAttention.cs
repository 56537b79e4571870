using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>
/// The tokens of the video attend to those of the prompt and, in 2.1 image-to-video, separately to those of the picture;
/// the two results are summed before the one output projection. No positions.
/// </summary>
internal sealed class CrossAttention
{
    private readonly TransformerShape _shape;
    private readonly Linear _q,
        _kv,
        _o;
    private readonly Tensor _normQ,
        _normK;
    private readonly Linear? _kvImage;
    private readonly Tensor? _normKImage;

    public CrossAttention(IWeights weights, TransformerShape shape)
    {
        _shape = shape;
        _q = weights.Linear("q", shape.Dim, shape.Dim);
        _kv = weights.Joined(["k", "v"], shape.Dim, shape.Dim);
        _o = weights.Linear("o", shape.Dim, shape.Dim);
        var exact = weights.As(ScalarType.Float32);
        _normQ = exact.Tensor("norm_q.weight", shape.Dim);
        _normK = exact.Tensor("norm_k.weight", shape.Dim);
        if (shape.ImageBranch == ImageBranch.None)
        {
            return;
        }

        _kvImage = weights.Joined(["k_img", "v_img"], shape.Dim, shape.Dim);
        _normKImage = exact.Tensor("norm_k_img.weight", shape.Dim);
    }

    public RowFormat Input => _q.Input;

    /// <param name="x">[B, L, dim], taken over.</param>
    public Tensor Apply(Activation x, ContextKeyValues context, ITokenOps ops)
    {
        Activation rows;
        using (var attended = Attend(x, context, ops))
        {
            rows = ops.Rows(attended, _o.Input);
        }

        using (rows)
        {
            return _o.Apply(rows);
        }
    }

    /// <summary>What this block sees of the prompt; the same for every step. The caller owns it.</summary>
    /// <param name="text">[B, 512, dim]</param>
    /// <param name="image">[B, 257 or 514, dim]</param>
    public ContextKeyValues KeysAndValues(Tensor text, Tensor? image, ITokenOps ops)
    {
        using var scope = NewDisposeScope();
        var (textKeys, textValues) = Of(_kv, _normK, text);
        var (imageKeys, imageValues) = image is null ? default : Of(_kvImage!, _normKImage!, image);
        return new ContextKeyValues(textKeys, textValues, imageKeys, imageValues).Detached();

        (Tensor Keys, Tensor Values) Of(Linear kv, Tensor norm, Tensor tokens)
        {
            var parts = kv.Apply(tokens).chunk(2, 2);
            return (
                ops.NormRotate(parts[0], norm, _shape.Epsilon, _shape.Heads, angles: null),
                parts[1].unflatten(2, _shape.Heads, _shape.HeadDim)
            );
        }
    }

    private Tensor Attend(Activation x, ContextKeyValues context, ITokenOps ops)
    {
        using var scope = NewDisposeScope();
        Tensor q;
        using (x)
        {
            q = _q.Apply(x);
        }

        q = ops.NormRotate(q, _normQ, _shape.Epsilon, _shape.Heads, angles: null); // [B, L, H, D]
        var attended = Attention.Apply(q, context.TextKeys, context.TextValues); // [B, L, dim]
        if (context.ImageKeys is not null)
        {
            attended = attended + Attention.Apply(q, context.ImageKeys, context.ImageValues!);
        }

        return attended.MoveToOuterDisposeScope();
    }
}
