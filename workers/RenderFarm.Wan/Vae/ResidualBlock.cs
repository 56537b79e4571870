using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>shortcut(x) + conv(silu(norm(conv(silu(norm(x)))))).</summary>
internal sealed class ResidualBlock(IWeights weights, int inChannels, int outChannels) : IVaeLayer
{
    // Numbered as stored: 1 and 4 are activations, 5 is dropout
    public ChannelNorm Norm0 { get; } = new(weights.Scope("residual.0"), inChannels, rank: 3);

    public CausalConv3d Conv2 { get; } = new(weights.Scope("residual.2"), inChannels, outChannels, (3, 3));

    public ChannelNorm Norm3 { get; } = new(weights.Scope("residual.3"), outChannels, rank: 3);

    public CausalConv3d Conv6 { get; } = new(weights.Scope("residual.6"), outChannels, outChannels, (3, 3));

    public CausalConv3d? Shortcut { get; } =
        inChannels == outChannels ? null : new(weights.Scope("shortcut"), inChannels, outChannels, (1, 1));

    public Tensor Apply(Tensor x, FeatureCache cache) => cache.Ops.Residual(this, x, cache);
}
