using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>What a VAE's convolutions are computed in.</summary>
/// <param name="FramesAsChannels">See <see cref="WanVae.FramesAsChannels"/>.</param>
internal readonly record struct VaeProducts(ScalarType Type, bool FramesAsChannels)
{
    public static IReadOnlyList<VaeProducts> All { get; } =
    [new(ScalarType.Float32, false), new(ScalarType.Float32, true), new(ScalarType.BFloat16, false), new(ScalarType.BFloat16, true)];

    public override string ToString() => $"{Type}{(FramesAsChannels ? ", frames as channels" : "")}";
}
