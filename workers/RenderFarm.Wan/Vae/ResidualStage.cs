using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>A level of VAE 2.2: its layers, plus its input brought to the same size without any weights.</summary>
internal sealed class ResidualStage(IReadOnlyList<IVaeLayer> layers, Func<Tensor, Tensor, FeatureCache, Tensor>? join) : IVaeLayer
{
    public Tensor Apply(Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        var y = layers.Run(x, cache);
        return (join is null ? y : join(y, x, cache)).MoveToOuterDisposeScope();
    }

    /// <summary>Plus means over groups of (channel, frame, row, column), channel slowest.</summary>
    /// <param name="time">Frames that become one; 1 or 2.</param>
    /// <param name="space">Rows and columns that become one; 1 or 2.</param>
    public static Func<Tensor, Tensor, FeatureCache, Tensor> Averaging(int outChannels, int time, int space) =>
        (y, x, _) =>
        {
            using var scope = NewDisposeScope();
            var missing = (time - x.shape[2] % time) % time;
            if (missing > 0)
            {
                x = nn.functional.pad(x, [0, 0, 0, 0, missing, 0]);
            }

            var (b, c, f, h, w) = (x.shape[0], x.shape[1], x.shape[2] / time, x.shape[3] / space, x.shape[4] / space);
            var means = x.reshape(b, c, f, time, h, space, w, space)
                .permute(0, 1, 3, 5, 7, 2, 4, 6)
                .reshape(b, outChannels, -1, f, h, w)
                .mean([2]);
            return (y + means).MoveToOuterDisposeScope();
        };

    /// <summary>The reverse: each channel repeated, then unfolded into frames, rows and columns. A first frame stays one frame.</summary>
    public static Func<Tensor, Tensor, FeatureCache, Tensor> Duplicating(int time) =>
        (y, x, cache) => cache.Ops.AddDuplicated(y, x, time, cache);
}
