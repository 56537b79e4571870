using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>Within each frame every position attends to every other, with one head as wide as the channels.</summary>
internal sealed class FrameAttention(IWeights weights, int channels) : IVaeLayer
{
    private readonly ChannelNorm _norm = new(weights.Scope("norm"), channels, rank: 2);
    private readonly Tensor _qkvWeight = weights.Tensor("to_qkv.weight", 3 * channels, channels, 1, 1);
    private readonly Tensor _qkvBias = weights.Tensor("to_qkv.bias", 3 * channels);
    private readonly Tensor _projWeight = weights.Tensor("proj.weight", channels, channels, 1, 1);
    private readonly Tensor _projBias = weights.Tensor("proj.bias", channels);

    public Tensor Apply(Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        var (b, c, f, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3], x.shape[4]);
        var frames = x.transpose(1, 2).reshape(b * f, c, h, w);
        // Three of [B·F, h·w, 1, C]
        var qkv = Convolution.OfPictures(_norm.Apply(frames), _qkvWeight, _qkvBias).flatten(2).transpose(1, 2).unsqueeze(2).chunk(3, -1);
        var y = Attention
            .Apply(qkv[0], qkv[1], qkv[2]) // [B·F, h·w, C]
            .transpose(1, 2)
            .reshape(b * f, c, h, w);
        y = Convolution.OfPictures(y, _projWeight, _projBias).view(b, f, c, h, w).transpose(1, 2);
        return (x + y).MoveToOuterDisposeScope();
    }
}
