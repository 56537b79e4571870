using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>
/// The timestep that each token is at, in [0, 1000]: usually one for all; for a video whose first frame is given, 0 for
/// that frame's tokens. Kept as runs of equal tokens, because one embedding per token takes gigabytes and says no more.
/// </summary>
public sealed class Timesteps
{
    private Timesteps(IReadOnlyList<TokenRun> runs) => Runs = runs;

    /// <param name="Tokens">How many tokens follow each other at this timestep.</param>
    /// <param name="Values">One per sample of the batch.</param>
    public sealed record TokenRun(long Tokens, IReadOnlyList<double> Values);

    public IReadOnlyList<TokenRun> Runs { get; }

    /// <summary>One timestep per sample of the batch, or one for all samples; the same for all tokens.</summary>
    public static Timesteps Uniform(params IReadOnlyList<double> values) => new([new TokenRun(long.MaxValue, values)]);

    /// <summary>The first latent frame is clean, the others are at their sample's timestep.</summary>
    /// <param name="frameTokens">Tokens of one latent frame: height/2 × width/2.</param>
    /// <param name="values">One per sample of the batch.</param>
    public static Timesteps FirstFrameGiven(long frameTokens, params IReadOnlyList<double> values) =>
        new([new TokenRun(frameTokens, [.. values.Select(_ => 0.0)]), new TokenRun(long.MaxValue, values)]);

    /// <param name="timesteps">[B] for all tokens, or [B, L] token by token.</param>
    public static Timesteps From(Tensor timesteps)
    {
        using var exact = timesteps.to(ScalarType.Float64).cpu().contiguous();
        var values = exact.data<double>().ToArray();
        if (timesteps.dim() == 1)
        {
            return Uniform(values);
        }

        if (timesteps.dim() != 2)
        {
            throw new ArgumentException($"timesteps have {timesteps.dim()} dimensions; [B] or [B, L] are allowed", nameof(timesteps));
        }

        var (batch, tokens) = (timesteps.shape[0], timesteps.shape[1]);
        double At(long sample, long token) => values[sample * tokens + token];
        var runs = new List<TokenRun>();
        for (long start = 0, end; start < tokens; start = end)
        {
            for (end = start + 1; end < tokens && Enumerable.Range(0, (int)batch).All(b => At(b, end) == At(b, start)); end++)
            {
                ;
            }

            runs.Add(new TokenRun(end - start, [.. Enumerable.Range(0, (int)batch).Select(b => At(b, start))]));
        }
        return new Timesteps(runs);
    }

    /// <summary>The same for all rows [B, R].</summary>
    internal Tensor Rows(Device device)
    {
        var batch = Runs[0].Values.Count;
        var rows = new double[batch, Runs.Count];
        for (var b = 0; b < batch; b++)
        {
            for (var r = 0; r < Runs.Count; r++)
            {
                rows[b, r] = Runs[r].Values[b];
            }
        }

        return tensor(rows, ScalarType.Float64, device);
    }
}
