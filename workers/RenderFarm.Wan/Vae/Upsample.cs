using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>Doubles both sides and, where it has a <c>time_conv</c>, the number of frames of every chunk but the first.</summary>
/// <param name="outChannels">Half of the channels in 2.1, all of them in 2.2.</param>
internal sealed class Upsample(IWeights weights, int channels, int outChannels, bool temporal) : IVaeLayer
{
    private readonly Tensor _weight = weights.Tensor("resample.1.weight", outChannels, channels, 3, 3);
    private readonly Tensor _bias = weights.Tensor("resample.1.bias", outChannels);
    private readonly CausalConv3d? _timeConv = temporal ? new(weights.Scope("time_conv"), channels, 2 * channels, (3, 1)) : null;

    public Tensor Apply(Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        // The first chunk goes by unseen: in the second, time_conv finds zeros before it and not the first frame
        if (_timeConv is not null && !cache.IsFirstChunk)
        {
            x = Interleave(_timeConv.Apply(x, cache));
        }
        // Frame by frame: all of them doubled at once would be the widest place of the decoder
        var frames = new List<Tensor>();
        for (long frame = 0; frame < x.shape[2]; frame++)
        {
            frames.Add(Double(x.select(2, frame)));
        }

        return stack(frames, 2).MoveToOuterDisposeScope();
    }

    /// <summary>[B, C, H, W] → [B, C', 2H, 2W]</summary>
    private Tensor Double(Tensor frame)
    {
        using var scope = NewDisposeScope();
        var doubled = frame.repeat_interleave(2, dim: 2).repeat_interleave(2, dim: 3);
        return Convolution.OfPictures(doubled, _weight, _bias, padding: [1, 1]).MoveToOuterDisposeScope();
    }

    /// <summary>[B, 2C, F, H, W] → [B, C, 2F, H, W]: the halves give the even and the odd frames.</summary>
    private static Tensor Interleave(Tensor x)
    {
        var (b, c, f, h, w) = (x.shape[0], x.shape[1] / 2, x.shape[2], x.shape[3], x.shape[4]);
        return x.view(b, 2, c, f, h, w).permute(0, 2, 3, 1, 4, 5).reshape(b, c, 2 * f, h, w);
    }
}
