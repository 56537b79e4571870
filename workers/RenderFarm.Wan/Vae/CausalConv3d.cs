using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// A convolution that never looks ahead: in time it is padded in front only, by the frames before the chunk as far as
/// they are known and by zeros for the rest. In space it keeps the size.
/// </summary>
internal sealed class CausalConv3d(IWeights weights, int inChannels, int outChannels, (int Time, int Space) kernel) : IVaeLayer
{
    private const int FramesKept = 2;

    private readonly Tensor _weight = weights.Tensor("weight", outChannels, inChannels, kernel.Time, kernel.Space, kernel.Space);
    private readonly Tensor _bias = weights.Tensor("bias", outChannels);

    public Tensor Apply(Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        var before = kernel.Time - 1;
        if (before > 0)
        {
            if (cache.Of(this) is { } kept)
            {
                x = cat([kept, x], 2);
            }

            var known = x.shape[2];
            var missing = before - (cache.Of(this)?.shape[2] ?? 0);
            cache.Keep(this, x, Math.Min(FramesKept, known));
            if (missing > 0)
            {
                x = nn.functional.pad(x, [0, 0, 0, 0, missing, 0]);
            }
        }
        var side = kernel.Space / 2;
        var y = cache.FramesAsChannels ? OverPictures(x, side) : Convolution.OfVideo(x, _weight, _bias, padding: [0, side, side]);
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>[B, C, F + before, H, W] → [B, C', F, H, W], by pictures with the channels innermost in memory.</summary>
    private Tensor OverPictures(Tensor x, int side)
    {
        var (b, f, h, w) = (x.shape[0], x.shape[2] - (kernel.Time - 1), x.shape[3], x.shape[4]);
        var seen =
            kernel.Time > 1
                ? x.unfold(2, kernel.Time, 1).permute(0, 2, 3, 4, 5, 1) // [B, F, H, W, time, C]
                : x.permute(0, 2, 3, 4, 1);
        var pictures = seen.reshape(b * f, h, w, kernel.Time * inChannels).permute(0, 3, 1, 2);
        var weight = _weight.transpose(1, 2).reshape(outChannels, kernel.Time * inChannels, kernel.Space, kernel.Space);
        return Convolution.OfPictures(pictures, weight, _bias, padding: [side, side]).unflatten(0, b, f).transpose(1, 2);
    }
}
