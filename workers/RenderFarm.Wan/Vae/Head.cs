using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>The last step of encoder and decoder: norm, activation (1), convolution.</summary>
internal sealed class Head(IWeights weights, int inChannels, int outChannels) : IVaeLayer
{
    private readonly ChannelNorm _norm0 = new(weights.Scope("0"), inChannels, rank: 3);
    private readonly CausalConv3d _conv2 = new(weights.Scope("2"), inChannels, outChannels, (3, 3));

    public Tensor Apply(Tensor x, FeatureCache cache)
    {
        using var normed = _norm0.Apply(x);
        using var active = normed.silu_();
        return _conv2.Apply(active, cache);
    }
}
