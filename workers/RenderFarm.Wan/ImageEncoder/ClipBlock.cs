using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.ImageEncoder;

/// <summary>A pre-norm transformer block of the vision tower. Norms and the residual stream are float32.</summary>
internal sealed class ClipBlock
{
    private readonly int _heads;
    private readonly LayerNorm _norm1,
        _norm2;
    private readonly Linear _qkv,
        _proj,
        _mlp0,
        _mlp2;

    /// <param name="weights">The scope of one block, <c>transformer.N</c>.</param>
    public ClipBlock(IWeights weights, ImageEncoderShape shape)
    {
        _heads = shape.Heads;
        _norm1 = LayerNorm.Affine(weights.Scope("norm1"), shape.Dim, ClipVision.Epsilon);
        _qkv = weights.Linear("attn.to_qkv", shape.Dim, 3 * shape.Dim);
        _proj = weights.Linear("attn.proj", shape.Dim, shape.Dim);
        _norm2 = LayerNorm.Affine(weights.Scope("norm2"), shape.Dim, ClipVision.Epsilon);
        _mlp0 = weights.Linear("mlp.0", shape.Dim, shape.FfnDim);
        _mlp2 = weights.Linear("mlp.2", shape.FfnDim, shape.Dim);
    }

    /// <param name="x">Float32 [B, L, dim].</param>
    public Tensor Apply(Tensor x)
    {
        using var scope = NewDisposeScope();
        var qkv = _qkv.Apply(_norm1.Apply(x)).unflatten(2, 3, _heads, x.shape[2] / _heads).unbind(2); // Three of [B, L, H, D]
        x = x + _proj.Apply(Attention.Apply(qkv[0], qkv[1], qkv[2]));
        x = x + _mlp2.Apply(nn.functional.gelu(_mlp0.Apply(_norm2.Apply(x)))); // Exact GELU, not tanh
        return x.MoveToOuterDisposeScope();
    }
}
