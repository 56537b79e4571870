using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// Each position's channels brought to length √C, then scaled by gamma; no mean is taken off and nothing added under the root.
/// </summary>
/// <param name="rank">Dimensions behind the channels: 3 in blocks, 2 in attention, as gamma is stored.</param>
internal sealed class ChannelNorm(IWeights weights, int channels, int rank)
{
    /// <summary>[C, 1, ..]</summary>
    public Tensor Gamma { get; } = weights.Tensor("gamma", [channels, .. Enumerable.Repeat(1L, rank)]);

    public Tensor Apply(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (x.dtype == ScalarType.Float16)
        {
            // The length of many channels may be more than fp16 holds, and they would all come out as zero
            using var wide = x.to(ScalarType.Float32);
            return (nn.functional.normalize(wide, p: 2, dim: 1, eps: 1e-12) * (Gamma * Math.Sqrt(channels)))
                .to(x.dtype)
                .MoveToOuterDisposeScope();
        }

        return nn.functional.normalize(x, p: 2, dim: 1, eps: 1e-12).mul_(Gamma * Math.Sqrt(channels)).MoveToOuterDisposeScope();
    }
}
