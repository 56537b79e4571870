using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Wan.ImageEncoder;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>A tensor that a checkpoint holds: its key and its sizes.</summary>
public sealed record ExpectedTensor(string Name, IReadOnlyList<long> Shape)
{
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Elements that one output is summed from: all sizes but the first.</summary>
    public long FanIn => Shape.Skip(1).Aggregate(1L, (product, size) => product * size);
}

/// <summary>What checkpoints hold in the original layout: the tensors that the modules themselves ask for.</summary>
public static class Layouts
{
    public static IReadOnlyList<ExpectedTensor> Transformer(TransformerShape shape) => Of(weights => new WanModel(weights, shape));

    public static IReadOnlyList<ExpectedTensor> TextEncoder(TextEncoderShape shape) => Of(weights => new Umt5Encoder(weights, shape));

    public static IReadOnlyList<ExpectedTensor> Vae(VaeShape shape) => Of(weights => new WanVae(weights, shape));

    public static IReadOnlyList<ExpectedTensor> ImageEncoder(ImageEncoderShape shape) =>
        Of(weights => new ClipVision(weights.Scope("visual"), shape));

    /// <summary>With the last block, the final norm and the head, which are published and never run.</summary>
    public static IReadOnlyList<ExpectedTensor> PublishedImageEncoder(ImageEncoderShape shape) =>
        Of(weights =>
        {
            var tower = weights.Scope("visual");
            var last = new ClipBlock(tower.Scope($"transformer.{shape.Layers - 1}"), shape);
            LayerNorm.Affine(tower.Scope("post_norm"), shape.Dim, ClipVision.Epsilon);
            tower.Tensor("head", shape.Dim, shape.OutDim);
            return (new ClipVision(tower, shape), last);
        });

    /// <summary>A module may ask for one tensor in two types.</summary>
    private static IReadOnlyList<ExpectedTensor> Of<T>(Func<IWeights, T> build) =>
        [.. WeightListing.Of(build).DistinctBy(entry => entry.Name).Select(entry => new ExpectedTensor(entry.Name, entry.Shape))];
}
