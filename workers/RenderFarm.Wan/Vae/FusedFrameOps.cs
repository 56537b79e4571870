using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Kernels;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// On a card, in sixteen bits, with the channels innermost in memory from the first layer to the last. A convolution over time is one over
/// pictures that hold three frames in their channels, and one kernel makes those pictures: bias of the convolution before, norm,
/// activation and the frames kept from the chunk before. What does not suit the kernels goes by plain tensors.
/// </summary>
/// <param name="stepped">Called after each step was put to work.</param>
internal sealed class FusedFrameOps(FrameKernels kernels, Action<string>? stepped) : IFrameOps
{
    private const int FramesKept = FrameKernels.Window - 1;

    private readonly PlainFrameOps _plain = new(framesAsChannels: true);

    public bool ChannelsInnermost => true;

    public Tensor Convolve(CausalConv3d conv, Tensor x, FeatureCache cache)
    {
        if (!Suits(conv, x))
        {
            var plain = _plain.Convolve(conv, x, cache);
            Stepped(conv.ToString());
            return plain;
        }

        using var scope = NewDisposeScope();
        var frames = Frames(x);
        var y = conv.Time == 1 ? Products(conv, frames) : Products(conv, Windows(conv, frames, null, null, cache));
        return AsVideo(AddBias(y, conv.Bias)).MoveToOuterDisposeScope();
    }

    public Tensor NormConvolve(ChannelNorm norm, CausalConv3d conv, Tensor x, FeatureCache cache)
    {
        if (!Suits(conv, x))
        {
            var plain = _plain.NormConvolve(norm, conv, x, cache);
            Stepped(conv.ToString());
            return plain;
        }

        using var scope = NewDisposeScope();
        var y = Products(conv, Windows(conv, Frames(x), null, norm, cache));
        return AsVideo(AddBias(y, conv.Bias)).MoveToOuterDisposeScope();
    }

    public Tensor Residual(ResidualBlock block, Tensor x, FeatureCache cache)
    {
        if (!Suits(block.Conv2, x) || !Suits(block.Conv6, x))
        {
            var plain = _plain.Residual(block, x, cache);
            Stepped($"residual {block.Conv2.InChannels} → {block.Conv2.OutChannels}, plain");
            return plain;
        }

        using var scope = NewDisposeScope();
        var frames = Frames(x);
        var y = Products(block.Conv2, Windows(block.Conv2, frames, null, block.Norm0, cache));
        var seen = Windows(block.Conv6, y, block.Conv2.Bias, block.Norm3, cache);
        y.Dispose(); // Features of a chunk fill hundreds of megabytes
        y = Products(block.Conv6, seen);
        if (block.Shortcut is { } shortcut)
        {
            frames = Products(shortcut, frames);
            kernels.Add(y, block.Conv6.Bias + shortcut.Bias, frames);
        }
        else
        {
            kernels.Add(y, block.Conv6.Bias, frames);
        }
        Stepped("add");
        return AsVideo(y).MoveToOuterDisposeScope();
    }

    public Tensor Enlarge(Tensor x, CausalConv3d? time, Tensor weight, Tensor bias, FeatureCache cache)
    {
        if (x.shape[0] != 1 || !FrameKernels.Takes(x.shape[1]) || !FrameKernels.Takes(weight.shape[0]))
        {
            return _plain.Enlarge(x, time, weight, bias, cache);
        }

        using var scope = NewDisposeScope();
        var frames = Frames(x);
        Tensor enlarged;
        if (time is null)
        {
            using var room = cache.Scratch(frames);
            enlarged = kernels.Enlarge(frames, null, streams: 1, room);
        }
        else
        {
            var doubled = Products(time, Windows(time, frames, null, null, cache));
            using var room = cache.Scratch(frames);
            enlarged = kernels.Enlarge(doubled, time.Bias, streams: 2, room);
            doubled.Dispose();
        }
        Stepped("enlarge");
        var y = Convolution.OfPictures(enlarged.permute(0, 3, 1, 2), weight, null, padding: [1, 1]).permute(0, 2, 3, 1).contiguous();
        enlarged.Dispose();
        Stepped($"up {weight.shape[1]} → {weight.shape[0]}");
        return AsVideo(AddBias(y, bias)).MoveToOuterDisposeScope();
    }

    public Tensor AddDuplicated(Tensor y, Tensor x, int times, FeatureCache cache)
    {
        if (x.shape[0] != 1 || !FrameKernels.Takes(x.shape[1]) || !FrameKernels.Takes(y.shape[1]))
        {
            return _plain.AddDuplicated(y, x, times, cache);
        }

        using var scope = NewDisposeScope();
        var sum = Frames(y);
        kernels.AddDuplicated(sum, Frames(x), times, skip: cache.IsFirstChunk ? times - 1 : 0);
        Stepped("duplicate");
        return AsVideo(sum).MoveToOuterDisposeScope();
    }

    private static bool Suits(CausalConv3d conv, Tensor x) =>
        x.shape[0] == 1
        && conv.Time is 1 or FrameKernels.Window
        && FrameKernels.Takes(conv.InChannels);

    private Tensor Windows(CausalConv3d conv, Tensor frames, Tensor? bias, ChannelNorm? norm, FeatureCache cache)
    {
        var kept = cache.Room(conv, [FramesKept, .. frames.shape[1..]], frames);
        using var room = cache.Scratch(frames);
        var windows = kernels.Windows(frames, bias, norm?.Gamma, kept, room);
        Stepped($"windows {frames.shape[3]}");
        return windows;
    }

    /// <summary>Without the bias: libtorch adds it in a pass of its own, which is slow on channels that are innermost.</summary>
    /// <param name="pictures">[F, H, W, time·C]; let go of.</param>
    private Tensor Products(CausalConv3d conv, Tensor pictures)
    {
        var side = conv.Space / 2;
        using var channelsFirst = pictures.permute(0, 3, 1, 2);
        using var weight = conv.PictureWeight();
        using var y = Convolution.OfPictures(channelsFirst, weight, null, padding: [side, side]);
        using var innermost = y.permute(0, 2, 3, 1);
        var products = innermost.contiguous();
        if (conv.Time > 1)
        {
            pictures.Dispose();
        }

        Stepped(conv.ToString());
        return products;
    }

    private Tensor AddBias(Tensor y, Tensor bias)
    {
        if (FrameKernels.Takes(y.shape[3]))
        {
            kernels.Add(y, bias, null);
        }
        else
        {
            y.add_(bias);
        }

        Stepped("bias");
        return y;
    }

    /// <summary>[1, C, F, H, W] → [F, H, W, C]; no copy where the channels are innermost already.</summary>
    private static Tensor Frames(Tensor x) => x.squeeze(0).permute(1, 2, 3, 0).contiguous();

    private static Tensor AsVideo(Tensor frames) => frames.permute(3, 0, 1, 2).unsqueeze(0);

    private void Stepped(string step) => stepped?.Invoke(step);
}
