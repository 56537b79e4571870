using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Wan.ImageEncoder;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary><c>clip_visual</c>: the tokens after all blocks but the last; keys without the prefix <c>visual.</c></summary>
internal static class ImageEncoderParity
{
    public static void Check(ParityFile file)
    {
        using var golden = file.Open();
        // The last block, the final norm and the head are in the file and not run
        using var tower = LoadedWeights.Build(
            golden.Weights,
            golden.Device,
            ScalarType.Float32,
            weights => new ClipVision(weights, Shape(golden)),
            ignorable: _ => true
        );
        file.Compare(golden, "hidden", tower.Module.Encode(golden.Input("image")));
    }

    private static ImageEncoderShape Shape(GoldenFile golden) =>
        new()
        {
            ImageSize = golden.Size("image_size"),
            PatchSize = golden.Size("patch_size"),
            Dim = golden.Size("dim"),
            FfnDim = golden.Size("dim") * golden.Size("mlp_ratio"),
            Heads = golden.Size("num_heads"),
            Layers = golden.Size("num_layers"),
            OutDim = golden.Size("out_dim"),
        };
}
