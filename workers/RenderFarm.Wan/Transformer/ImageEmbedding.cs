using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>CLIP features of the given picture or pictures → context tokens (2.1 image-to-video).</summary>
internal sealed class ImageEmbedding
{
    private const double Epsilon = 1e-5; // Unlike the blocks

    private readonly TransformerShape _shape;
    private readonly Tensor? _positions;
    private readonly Linear _proj1,
        _proj3;
    private readonly LayerNorm _proj0,
        _proj4;

    /// <param name="weights">The scope <c>img_emb</c>.</param>
    public ImageEmbedding(IWeights weights, TransformerShape shape)
    {
        _shape = shape;
        var clip = shape.ImageDim;
        if (shape.ImageBranch == ImageBranch.ClipFirstLast)
        {
            _positions = weights.As(ScalarType.Float32).Tensor("emb_pos", 1, 2 * shape.ImageTokens, clip);
        }

        _proj0 = LayerNorm.Affine(weights.Scope("proj.0"), clip, Epsilon);
        _proj1 = weights.Linear("proj.1", clip, clip);
        _proj3 = weights.Linear("proj.3", clip, shape.Dim);
        _proj4 = LayerNorm.Affine(weights.Scope("proj.4"), shape.Dim, Epsilon);
    }

    /// <param name="clip">[B, 257, 1280]; with two pictures [2B, 257, 1280], a sample's first and last side by side.</param>
    /// <returns>[B, 257 or 514, dim]</returns>
    public Tensor Apply(Tensor clip)
    {
        using var scope = NewDisposeScope();
        if (_positions is not null)
        {
            clip = clip.reshape(-1, 2 * _shape.ImageTokens, _shape.ImageDim) + _positions;
        }

        var x = nn.functional.gelu(_proj1.Apply(_proj0.Apply(clip)));
        return _proj4.Apply(_proj3.Apply(x)).MoveToOuterDisposeScope();
    }
}
