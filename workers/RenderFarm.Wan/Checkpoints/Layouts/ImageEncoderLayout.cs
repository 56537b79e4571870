using RenderFarm.Contracts.Models;

namespace RenderFarm.Wan.Checkpoints.Layouts;

/// <summary>Keys and shapes of the CLIP vision tower in the original layout, below <c>visual.</c></summary>
public static class ImageEncoderLayout
{
    public const string Prefix = "visual.";

    public static IReadOnlyList<ExpectedTensor> Of(ImageEncoderShape shape)
    {
        var dim = shape.Dim;
        var patches = (long)(shape.ImageSize / shape.PatchSize) * (shape.ImageSize / shape.PatchSize);
        var list = new TensorList()
            .Add("visual.cls_embedding", 1, 1, dim)
            .Add("visual.pos_embedding", 1, patches + 1, dim)
            .Add("visual.patch_embedding.weight", dim, 3, shape.PatchSize, shape.PatchSize)
            .Norm("visual.pre_norm", dim);
        for (var i = 0; i < shape.Layers; i++)
        {
            var layer = $"visual.transformer.{i}";
            list.Norm($"{layer}.norm1", dim)
                .Linear($"{layer}.attn.to_qkv", 3L * dim, dim).Linear($"{layer}.attn.proj", dim, dim)
                .Norm($"{layer}.norm2", dim)
                .Linear($"{layer}.mlp.0", shape.FfnDim, dim).Linear($"{layer}.mlp.2", dim, shape.FfnDim);
        }
        return list.Norm("visual.post_norm", dim).Add("visual.head", dim, shape.OutDim).Tensors;
    }
}
