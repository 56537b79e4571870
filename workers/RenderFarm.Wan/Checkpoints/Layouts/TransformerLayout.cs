using RenderFarm.Contracts.Models;

namespace RenderFarm.Wan.Checkpoints.Layouts;

/// <summary>Keys and shapes of a Wan DiT in the original layout.</summary>
public static class TransformerLayout
{
    /// <summary>Width of the CLIP features that the image branch takes.</summary>
    private const int ImageDim = 1280;

    public static IReadOnlyList<ExpectedTensor> Of(TransformerShape shape)
    {
        var dim = shape.Dim;
        var list = new TensorList()
            .Conv("patch_embedding", dim, shape.InChannels, 1, 2, 2)
            .Linear("text_embedding.0", dim, shape.TextDim)
            .Linear("text_embedding.2", dim, dim)
            .Linear("time_embedding.0", dim, shape.FrequencyDim)
            .Linear("time_embedding.2", dim, dim)
            .Linear("time_projection.1", 6L * dim, dim);
        for (var i = 0; i < shape.Layers; i++) Block(list, $"blocks.{i}", shape);
        list.Add("head.modulation", 1, 2, dim).Linear("head.head", 4L * shape.OutChannels, dim);
        if (shape.ImageBranch == ImageBranch.None) return list.Tensors;

        list.Norm("img_emb.proj.0", ImageDim).Linear("img_emb.proj.1", ImageDim, ImageDim)
            .Linear("img_emb.proj.3", dim, ImageDim).Norm("img_emb.proj.4", dim);
        if (shape.ImageBranch == ImageBranch.ClipFirstLast) list.Add("img_emb.emb_pos", 1, 514, ImageDim);
        return list.Tensors;
    }

    private static void Block(TensorList list, string block, TransformerShape shape)
    {
        var dim = shape.Dim;
        list.Add($"{block}.modulation", 1, 6, dim);
        foreach (var attention in (ReadOnlySpan<string>)["self_attn", "cross_attn"])
        {
            foreach (var part in (ReadOnlySpan<string>)["q", "k", "v", "o"]) list.Linear($"{block}.{attention}.{part}", dim, dim);
            list.Add($"{block}.{attention}.norm_q.weight", dim).Add($"{block}.{attention}.norm_k.weight", dim);
        }
        if (shape.ImageBranch != ImageBranch.None)
        {
            list.Linear($"{block}.cross_attn.k_img", dim, dim).Linear($"{block}.cross_attn.v_img", dim, dim)
                .Add($"{block}.cross_attn.norm_k_img.weight", dim);
        }
        list.Norm($"{block}.norm3", dim);
        list.Linear($"{block}.ffn.0", shape.FfnDim, dim).Linear($"{block}.ffn.2", dim, shape.FfnDim);
    }
}
