using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Wan.Tests.Synthetic;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Transformer;

/// <summary>A small DiT with head dimension 128, and the inputs that go with it.</summary>
internal static class SyntheticModel
{
    public static TransformerShape Shape { get; } =
        new()
        {
            Dim = 256,
            FfnDim = 320,
            Heads = 2,
            Layers = 2,
            InChannels = 16,
            OutChannels = 16,
            TextDim = 64,
        };

    public static Loaded<WanModel> Build(TransformerShape shape, ScalarType type = ScalarType.Float32) =>
        SyntheticSource.Build(weights => new WanModel(weights, shape), type);

    public static Tensor Latent(int channels = 16) =>
        SyntheticValues.Input(channels == 16 ? "x" : $"x{channels}", 1.7, 1, channels, 2, 4, 6);

    public static Tensor Context() => SyntheticValues.Input("ctx", 1.7, 5, 64);
}
