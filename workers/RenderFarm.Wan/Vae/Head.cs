using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>The last step of encoder and decoder: norm, activation (1), convolution.</summary>
internal sealed class Head(IWeights weights, int inChannels, int outChannels) : IVaeLayer
{
    private readonly ChannelNorm _norm0 = new(weights.Scope("0"), inChannels, rank: 3);
    private readonly CausalConv3d _conv2 = new(weights.Scope("2"), inChannels, outChannels, (3, 3));

    public Tensor Apply(Tensor x, FeatureCache cache) => cache.Ops.NormConvolve(_norm0, _conv2, x, cache);
}
