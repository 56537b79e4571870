using RenderFarm.Contracts.Models;

namespace RenderFarm.Wan.Checkpoints.Layouts;

/// <summary>Keys and shapes of a UMT5 encoder in the original layout.</summary>
public static class TextEncoderLayout
{
    public static IReadOnlyList<ExpectedTensor> Of(TextEncoderShape shape)
    {
        var list = new TensorList().Add("token_embedding.weight", shape.Vocabulary, shape.Dim);
        for (var i = 0; i < shape.Layers; i++)
        {
            list.Add($"blocks.{i}.norm1.weight", shape.Dim);
            foreach (var part in (ReadOnlySpan<string>)["q", "k", "v"])
                list.Linear($"blocks.{i}.attn.{part}", shape.AttentionDim, shape.Dim, bias: false);
            list.Linear($"blocks.{i}.attn.o", shape.Dim, shape.AttentionDim, bias: false)
                .Add($"blocks.{i}.pos_embedding.embedding.weight", shape.Buckets, shape.Heads)
                .Add($"blocks.{i}.norm2.weight", shape.Dim)
                .Linear($"blocks.{i}.ffn.gate.0", shape.FfnDim, shape.Dim, bias: false)
                .Linear($"blocks.{i}.ffn.fc1", shape.FfnDim, shape.Dim, bias: false)
                .Linear($"blocks.{i}.ffn.fc2", shape.Dim, shape.FfnDim, bias: false);
        }
        return list.Add("norm.weight", shape.Dim).Tensors;
    }
}
