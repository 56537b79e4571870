using RenderFarm.Inference.Arithmetic;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>By plain tensors, on any device and differentiable: the definition.</summary>
/// <param name="framesAsChannels">See <see cref="WanVae.FramesAsChannels"/>.</param>
internal sealed class PlainFrameOps(bool framesAsChannels) : IFrameOps
{
    private const int FramesKept = 2;

    public bool ChannelsInnermost => false;

    public Tensor Convolve(CausalConv3d conv, Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        var before = conv.Time - 1;
        if (before > 0)
        {
            if (cache.Of(conv) is { } kept)
            {
                x = cat([kept, x], 2);
            }

            var known = x.shape[2];
            var missing = before - (cache.Of(conv)?.shape[2] ?? 0);
            cache.Keep(conv, x, Math.Min(FramesKept, known));
            if (missing > 0)
            {
                x = nn.functional.pad(x, [0, 0, 0, 0, missing, 0]);
            }
        }
        var side = conv.Space / 2;
        var y = framesAsChannels ? OverPictures(conv, x, side) : Convolution.OfVideo(x, conv.Weight, conv.Bias, padding: [0, side, side]);
        return y.MoveToOuterDisposeScope();
    }

    public Tensor NormConvolve(ChannelNorm norm, CausalConv3d conv, Tensor x, FeatureCache cache)
    {
        using var normed = norm.Apply(x);
        using var active = normed.silu_();
        return Convolve(conv, active, cache);
    }

    public Tensor Residual(ResidualBlock block, Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        // Let go of as soon as they are used: features of a frame fill hundreds of megabytes
        var y = Half(x.alias(), block.Norm0, block.Conv2, cache);
        y = Half(y, block.Norm3, block.Conv6, cache);
        return y.add_(block.Shortcut?.Apply(x, cache) ?? x).MoveToOuterDisposeScope();
    }

    public Tensor Enlarge(Tensor x, CausalConv3d? time, Tensor weight, Tensor bias, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        if (time is not null)
        {
            x = Interleave(time.Apply(x, cache));
        }

        // Frame by frame: all of them doubled at once would be the widest place of the decoder
        var frames = new List<Tensor>();
        for (long frame = 0; frame < x.shape[2]; frame++)
        {
            frames.Add(Double(x.select(2, frame), weight, bias));
        }

        return stack(frames, 2).MoveToOuterDisposeScope();
    }

    public Tensor AddDuplicated(Tensor y, Tensor x, int times, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        var outChannels = y.shape[1];
        var (b, c, f, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3], x.shape[4]);
        var duplicated = x.repeat_interleave(outChannels * times * 4 / c, dim: 1)
            .view(b, outChannels, times, 2, 2, f, h, w)
            .permute(0, 1, 5, 2, 6, 3, 7, 4)
            .reshape(b, outChannels, f * times, h * 2, w * 2);
        if (cache.IsFirstChunk)
        {
            duplicated = duplicated.narrow(2, times - 1, duplicated.shape[2] - (times - 1));
        }

        return (y + duplicated).MoveToOuterDisposeScope();
    }

    /// <param name="x">Taken over.</param>
    private Tensor Half(Tensor x, ChannelNorm norm, CausalConv3d conv, FeatureCache cache)
    {
        using var normed = norm.Apply(x);
        x.Dispose();
        using var active = normed.silu_();
        return Convolve(conv, active, cache);
    }

    /// <summary>[B, C, F + before, H, W] → [B, C', F, H, W], by pictures with the channels innermost in memory.</summary>
    private static Tensor OverPictures(CausalConv3d conv, Tensor x, int side)
    {
        var (b, f, h, w) = (x.shape[0], x.shape[2] - (conv.Time - 1), x.shape[3], x.shape[4]);
        var seen =
            conv.Time > 1
                ? x.unfold(2, conv.Time, 1).permute(0, 2, 3, 4, 5, 1) // [B, F, H, W, time, C]
                : x.permute(0, 2, 3, 4, 1);
        var pictures = seen.reshape(b * f, h, w, conv.Time * conv.InChannels).permute(0, 3, 1, 2);
        return Convolution.OfPictures(pictures, conv.PictureWeight(), conv.Bias, padding: [side, side]).unflatten(0, b, f).transpose(1, 2);
    }

    /// <summary>[B, C, H, W] → [B, C', 2H, 2W]</summary>
    private static Tensor Double(Tensor frame, Tensor weight, Tensor bias)
    {
        using var scope = NewDisposeScope();
        var doubled = frame.repeat_interleave(2, dim: 2).repeat_interleave(2, dim: 3);
        return Convolution.OfPictures(doubled, weight, bias, padding: [1, 1]).MoveToOuterDisposeScope();
    }

    /// <summary>[B, 2C, F, H, W] → [B, C, 2F, H, W]: the halves give the even and the odd frames.</summary>
    private static Tensor Interleave(Tensor x)
    {
        var (b, c, f, h, w) = (x.shape[0], x.shape[1] / 2, x.shape[2], x.shape[3], x.shape[4]);
        return x.view(b, 2, c, f, h, w).permute(0, 2, 3, 1, 4, 5).reshape(b, c, 2 * f, h, w);
    }
}
