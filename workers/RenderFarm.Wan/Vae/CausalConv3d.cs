using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// A convolution that never looks ahead: in time it is padded in front only, by the frames before the chunk as far as
/// they are known and by zeros for the rest. In space it keeps the size.
/// </summary>
internal sealed class CausalConv3d(IWeights weights, int inChannels, int outChannels, (int Time, int Space) kernel) : IVaeLayer
{
    public int InChannels => inChannels;

    public int OutChannels => outChannels;

    public int Time => kernel.Time;

    public int Space => kernel.Space;

    /// <summary>[C', C, time, rows, columns]</summary>
    public Tensor Weight { get; } = weights.Tensor("weight", outChannels, inChannels, kernel.Time, kernel.Space, kernel.Space);

    public Tensor Bias { get; } = weights.Tensor("bias", outChannels);

    public Tensor Apply(Tensor x, FeatureCache cache) => cache.Ops.Convolve(this, x, cache);

    /// <summary>
    /// [C', time·C, rows, columns], for pictures that hold the frames of a window in their channels. A view of weights that lie as
    /// <see cref="WanVae.ChannelsInnermost"/> lays them, a copy of others.
    /// </summary>
    public Tensor PictureWeight()
    {
        using var scope = NewDisposeScope();
        return Weight
            .permute(0, 3, 4, 2, 1)
            .reshape(outChannels, kernel.Space, kernel.Space, kernel.Time * inChannels)
            .permute(0, 3, 1, 2)
            .MoveToOuterDisposeScope();
    }

    public override string ToString() => $"convolution {inChannels} → {outChannels}, {kernel.Time} x {kernel.Space} x {kernel.Space}";
}
