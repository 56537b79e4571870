using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.TextEncoder;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary><c>umt5</c>: prompts of several lengths, padded; rows behind a prompt's end are zero.</summary>
internal static class TextEncoderParity
{
    public static void Check(ParityFile file)
    {
        using var golden = file.Open();
        Check(file, golden, golden.Weights);
    }

    /// <param name="weights">In the original layout.</param>
    public static void Check(ParityFile file, GoldenFile golden, ITensorSource weights)
    {
        using var encoder = Umt5Encoder.Load(weights, Shape(golden), golden.Device, ScalarType.Float32);
        var (ids, mask) = (golden.Input("ids").cpu(), golden.Input("mask").cpu());
        var padded = ids.shape[1];
        var contexts = Enumerable
            .Range(0, (int)ids.shape[0])
            .Select(sample =>
            {
                var length = mask[sample].sum().item<long>();
                var context = encoder.Module.Encode(ids[sample].narrow(0, 0, length).data<long>().ToArray());
                return nn.functional.pad(context, (0, 0, 0, padded - length));
            });
        file.Compare(golden, "hidden", stack(contexts, 0));
    }

    private static TextEncoderShape Shape(GoldenFile golden) =>
        new()
        {
            Vocabulary = golden.Size("vocab"),
            Dim = golden.Size("dim"),
            AttentionDim = golden.Size("dim_attn"),
            FfnDim = golden.Size("dim_ffn"),
            Heads = golden.Size("num_heads"),
            Layers = golden.Size("num_layers"),
            Buckets = golden.Size("num_buckets"),
        };
}
