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

    /// <summary>The first chunk goes by time_conv unseen: in the second, it finds zeros before it and not the first frame.</summary>
    public Tensor Apply(Tensor x, FeatureCache cache) =>
        cache.Ops.Enlarge(x, cache.IsFirstChunk ? null : _timeConv, _weight, _bias, cache);
}
