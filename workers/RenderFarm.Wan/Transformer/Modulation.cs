using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>The modulations of one forward: a row for each run of tokens that share a timestep.</summary>
/// <param name="E">For the head, float32 [B, R, dim].</param>
/// <param name="E0">For the blocks, float32 [B, R, 6, dim].</param>
/// <param name="Runs">How many tokens each of the R rows is for; the last takes the rest.</param>
public sealed record Modulation(Tensor E, Tensor E0, IReadOnlyList<long> Runs)
{
    /// <summary>LN(x)·(1 + scale) + shift, for each token with its own row.</summary>
    /// <param name="x">Normalised, [B, L, dim].</param>
    /// <param name="scale">[B, R, dim]</param>
    /// <param name="shift">[B, R, dim]</param>
    public Tensor Affine(Tensor x, Tensor scale, Tensor shift) =>
        PerRun(x, (part, row) => shift.narrow(1, row, 1).addcmul(part, scale.narrow(1, row, 1) + 1, 1));

    /// <summary>x + y·gate, in x's type.</summary>
    /// <param name="gate">[B, R, dim]</param>
    public Tensor AddGated(Tensor x, Tensor y, Tensor gate)
    {
        if (Runs.Count == 1) return x.addcmul(y.to(x.dtype), gate, 1);
        using var gated = PerRun(y.to(x.dtype), (part, row) => part * gate.narrow(1, row, 1));
        return x + gated;
    }

    private Tensor PerRun(Tensor x, Func<Tensor, int, Tensor> apply)
    {
        if (Runs.Count == 1) return apply(x, 0);
        var parts = new List<Tensor>(Runs.Count);
        long at = 0, length = x.shape[1];
        for (int row = 0; row < Runs.Count; row++)
        {
            long tokens = Math.Min(Runs[row], length - at);
            parts.Add(apply(x.narrow(1, at, tokens), row));
            at += tokens;
        }
        return cat(parts, 1);
    }
}
