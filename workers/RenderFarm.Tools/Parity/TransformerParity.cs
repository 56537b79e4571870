using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary><c>dit*</c>: every block's output, so that a fault is found where it is, and the velocity.</summary>
internal static class TransformerParity
{
    public static void Check(ParityFile file)
    {
        using var golden = file.Open();
        Check(file, golden, golden.Weights);
    }

    /// <param name="weights">In the original layout.</param>
    public static void Check(ParityFile file, GoldenFile golden, ITensorSource weights)
    {
        using var model = Load(golden, weights);
        var contexts = new List<Tensor>();
        while (golden.HasInput($"context{contexts.Count}"))
        {
            contexts.Add(golden.Input($"context{contexts.Count}"));
        }

        using var context = model.Module.Embed(contexts, golden.HasInput("clip_fea") ? golden.Input("clip_fea") : null);
        var v = model.Module.Forward(
            golden.Input("x"),
            Timesteps.From(golden.Input("t")),
            context,
            golden.HasInput("y") ? golden.Input("y") : null,
            afterBlock: (index, x) =>
            {
                if (golden.HasOutput($"block{index}"))
                {
                    file.Compare(golden, $"block{index}", x);
                }
            }
        );
        file.Compare(golden, "v", v);
    }

    public static Loaded<WanModel> Load(GoldenFile golden) => Load(golden, golden.Weights);

    private static Loaded<WanModel> Load(GoldenFile golden, ITensorSource source) =>
        LoadedWeights.Build(source, golden.Device, ScalarType.Float32, weights => new WanModel(weights, Shape(golden, source)));

    internal static TransformerShape Shape(GoldenFile golden, ITensorSource weights) =>
        new()
        {
            Dim = golden.Size("dim"),
            FfnDim = golden.Size("ffn_dim"),
            Heads = golden.Size("num_heads"),
            Layers = golden.Size("num_layers"),
            InChannels = golden.Size("in_dim"),
            OutChannels = golden.Size("out_dim"),
            TextDim = golden.Size("text_dim"),
            TextLength = golden.Size("text_len"),
            FrequencyDim = golden.Size("freq_dim"),
            Epsilon = golden.Config("eps").GetDouble(),
            // model_type doesn't tell: i2v is written by 2.1, which has the branch, and by 2.2, which hasn't
            ImageBranch =
                weights.Entries.ContainsKey("img_emb.emb_pos") ? ImageBranch.ClipFirstLast
                : weights.Entries.ContainsKey("img_emb.proj.0.bias") ? ImageBranch.Clip
                : ImageBranch.None,
        };
}
