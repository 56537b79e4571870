using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>Halves both sides and, where it has a <c>time_conv</c>, the number of frames of every chunk but the first.</summary>
internal sealed class Downsample(IWeights weights, int channels, bool temporal) : IVaeLayer
{
    private readonly Tensor _weight = weights.Tensor("resample.1.weight", channels, channels, 3, 3);
    private readonly Tensor _bias = weights.Tensor("resample.1.bias", channels);
    private readonly Tensor? _timeWeight = temporal ? weights.Tensor("time_conv.weight", channels, channels, 3, 1, 1) : null;
    private readonly Tensor? _timeBias = temporal ? weights.Tensor("time_conv.bias", channels) : null;

    public Tensor Apply(Tensor x, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        // Zeros to the right and below only
        x = Frames.Each(x, frames => Convolution.OfPictures(nn.functional.pad(frames, [0, 1, 0, 1]), _weight, _bias, strides: [2, 2]));
        if (!cache.Ops.ChannelsInnermost)
        {
            x = x.contiguous();
        }

        if (_timeWeight is null)
        {
            return x.MoveToOuterDisposeScope();
        }

        var chunk = cache.Of(this) is { } last ? cat([last, x], 2) : x;
        cache.Keep(this, x, 1);
        if (!cache.IsFirstChunk)
        {
            x = Convolution.OfVideo(chunk, _timeWeight, _timeBias, strides: [2, 1, 1]);
        }

        return x.MoveToOuterDisposeScope();
    }
}
