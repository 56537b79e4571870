using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.TokenAttention;

/// <summary>q, k and v side by side with what a model's have: channels that stand out, a mean in k, positions.</summary>
internal sealed record AttentionInputs(Tensor Joined, HeadNorms Norms, Tensor Angles)
{
    public const int HeadDim = 128;

    /// <param name="spread">Standard deviation of the logits, about: 1 attends to most keys, 3 to few.</param>
    /// <param name="keyMean">Added to every key before its norm, in some channels.</param>
    /// <param name="outlier">Gain of some channels.</param>
    public static AttentionInputs Random(
        int tokens,
        int heads = 2,
        int batch = 1,
        double spread = 1,
        double keyMean = 0,
        double outlier = 1,
        bool turned = true,
        int seed = 1
    )
    {
        manual_seed(seed);
        var dim = heads * HeadDim;
        var (queries, keys, values) = (randn(batch, tokens, dim), randn(batch, tokens, dim), randn(batch, tokens, dim));
        var few = arange(dim).remainder(HeadDim) < 3;
        var gains = where(few, full_like(queries[0, 0], outlier), ones(dim)) * randn(dim).mul(0.3).exp();
        keys = keys + where(few, full_like(queries[0, 0], keyMean), zeros(dim));
        var angles = turned ? rand(tokens, 1, HeadDim / 2) * (2 * Math.PI) : zeros(tokens, 1, HeadDim / 2);
        // logits of rows that are normed and weighted so: √D · rms of a product of gains
        var natural = Math.Sqrt(gains.square().square().mean().item<float>());
        var norms = new HeadNorms(gains * (spread / natural), gains, 1e-6, heads);
        return new AttentionInputs(cat([queries, keys, values], 2), norms, polar(ones_like(angles), angles));
    }

    public Tensor Apply(IAttention attention) => attention.Apply(0, Joined.clone(), Norms, Angles);

    public static double Error(Tensor actual, Tensor expected) => ((actual - expected).norm() / expected.norm()).item<float>();
}
