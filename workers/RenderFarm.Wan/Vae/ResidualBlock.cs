using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>shortcut(x) + conv(silu(norm(conv(silu(norm(x)))))).</summary>
internal sealed class ResidualBlock(IWeights weights, int inChannels, int outChannels) : IVaeLayer
{
    // Numbered as stored: 1 and 4 are activations, 5 is dropout
    private readonly ChannelNorm _norm0 = new(weights.Scope("residual.0"), inChannels, rank: 3);
    private readonly CausalConv3d _conv2 = new(weights.Scope("residual.2"), inChannels, outChannels, (3, 3));
    private readonly ChannelNorm _norm3 = new(weights.Scope("residual.3"), outChannels, rank: 3);
    private readonly CausalConv3d _conv6 = new(weights.Scope("residual.6"), outChannels, outChannels, (3, 3));
    private readonly CausalConv3d? _shortcut =
        inChannels == outChannels ? null : new(weights.Scope("shortcut"), inChannels, outChannels, (1, 1));

    public Tensor Apply(Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        // Let go of as soon as they are used: features of a frame fill hundreds of megabytes
        var y = Half(x.alias(), _norm0, _conv2, cache);
        y = Half(y, _norm3, _conv6, cache);
        return y.add_(_shortcut?.Apply(x, cache) ?? x).MoveToOuterDisposeScope();
    }

    /// <param name="x">Taken over.</param>
    private static Tensor Half(Tensor x, ChannelNorm norm, CausalConv3d conv, FeatureCache cache)
    {
        using var normed = norm.Apply(x);
        x.Dispose();
        using var active = normed.silu_();
        return conv.Apply(active, cache);
    }
}
