using RenderFarm.Contracts.Models;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning.Pictures;

/// <summary>
/// A video of which the first frame, or the first and the last, are given and the others are mid-grey, and the mask that
/// says which are.
/// </summary>
/// <param name="first">[1, 3, H, W] in [−1, 1]; belongs to the caller, like <paramref name="last"/>.</param>
public sealed class GivenFrames(Tensor first, Tensor? last, int frames)
{
    /// <summary>Frames from <paramref name="start"/> on, [1, 3, count, H, W]; the caller owns them.</summary>
    public Tensor Chunk(long start, long count)
    {
        using var scope = NewDisposeScope();
        var chunk = Enumerable
            .Range((int)start, (int)count)
            .Select(frame =>
                frame == 0 ? first
                : last is not null && frame == frames - 1 ? last
                : zeros_like(first)
            );
        return stack(chunk, 2).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// [1, 4, T, h, w]: a channel for each of the four frames that a latent frame stands for, 1 where that frame is given.
    /// The first latent frame stands for the first frame alone, which counts as all four.
    /// </summary>
    public Tensor Mask(long latentHeight, long latentWidth, Device device)
    {
        using var scope = NewDisposeScope();
        const int Stride = VaeShape.TemporalStride;
        var known = zeros(frames + Stride - 1, dtype: ScalarType.Float32, device: device); // Frame 0 four times, then the rest
        known.narrow(0, 0, Stride).fill_(1);
        if (last is not null)
        {
            known.narrow(0, known.shape[0] - 1, 1).fill_(1);
        }

        return known
            .view(-1, Stride)
            .t()
            .view(1, Stride, -1, 1, 1)
            .expand(-1, -1, -1, latentHeight, latentWidth)
            .contiguous()
            .MoveToOuterDisposeScope();
    }
}
