using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>The modulations of one forward: a row for each run of tokens that share a timestep.</summary>
/// <param name="E">For the head, float32 [B, R, dim].</param>
/// <param name="E0">For the blocks, float32 [B, R, 6, dim].</param>
/// <param name="Runs">How many tokens each of the R rows is for; the last takes the rest.</param>
public sealed record Modulation(Tensor E, Tensor E0, IReadOnlyList<long> Runs)
{
    /// <summary>LN(x)·(1 + scale) + shift, each token with its own row of [B, R, dim].</summary>
    public NormAffine Affine(Tensor scale, Tensor shift, double epsilon) =>
        new(new PerRun(scale, Runs), new PerRun(shift, Runs), AddsOne: true, epsilon);

    public PerRun Gate(Tensor gate) => new(gate, Runs);
}
