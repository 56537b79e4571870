using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>
/// The tokens of the video attend to those of the prompt and, in 2.1 image-to-video, separately to those of the picture;
/// the two results are summed before the one output projection. No positions.
/// </summary>
internal sealed class CrossAttention
{
    private readonly TransformerShape _shape;
    private readonly Linear _q, _k, _v, _o;
    private readonly RmsNorm _normQ, _normK;
    private readonly Linear? _kImage, _vImage;
    private readonly RmsNorm? _normKImage;

    public CrossAttention(IWeights weights, TransformerShape shape)
    {
        _shape = shape;
        _q = weights.Linear("q", shape.Dim, shape.Dim);
        _k = weights.Linear("k", shape.Dim, shape.Dim);
        _v = weights.Linear("v", shape.Dim, shape.Dim);
        _o = weights.Linear("o", shape.Dim, shape.Dim);
        _normQ = new RmsNorm(weights.Scope("norm_q"), shape.Dim, shape.Epsilon);
        _normK = new RmsNorm(weights.Scope("norm_k"), shape.Dim, shape.Epsilon);
        Type = weights.Type;
        if (shape.ImageBranch == ImageBranch.None) return;
        _kImage = weights.Linear("k_img", shape.Dim, shape.Dim);
        _vImage = weights.Linear("v_img", shape.Dim, shape.Dim);
        _normKImage = new RmsNorm(weights.Scope("norm_k_img"), shape.Dim, shape.Epsilon);
    }

    private ScalarType Type { get; }

    /// <param name="x">[B, L, dim]</param>
    public Tensor Apply(Tensor x, ContextKeyValues context)
    {
        using var scope = NewDisposeScope();
        var q = Heads(_normQ.Apply(_q.Apply(x)));                                     // [B, L, H, D]
        var attended = Attention.Apply(q, context.TextKeys, context.TextValues);      // [B, L, dim]
        if (context.ImageKeys is not null)
            attended = attended + Attention.Apply(q, context.ImageKeys, context.ImageValues!);
        return _o.Apply(attended).MoveToOuterDisposeScope();
    }

    /// <summary>What this block sees of the prompt; the same for every step. The caller owns it.</summary>
    /// <param name="text">[B, 512, dim]</param>
    /// <param name="image">[B, 257 or 514, dim]</param>
    public ContextKeyValues KeysAndValues(Tensor text, Tensor? image)
    {
        using var scope = NewDisposeScope();
        var keyValues = new ContextKeyValues(
            Heads(_normK.Apply(_k.Apply(text))),
            Heads(_v.Apply(text)),
            image is null ? null : Heads(_normKImage!.Apply(_kImage!.Apply(image))),
            image is null ? null : Heads(_vImage!.Apply(image)));
        return keyValues.Detached();
    }

    private Tensor Heads(Tensor x) => x.to(Type).unflatten(2, _shape.Heads, _shape.HeadDim);
}
