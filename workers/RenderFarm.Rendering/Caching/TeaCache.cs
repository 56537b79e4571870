using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Caching;

/// <summary>
/// TeaCache (Liu et al. 2024): how much the time embedding has changed since the forward before, through a polynomial that
/// was fitted to the change of outputs, adds up; blocks run again when the sum reaches the threshold. The first step and the
/// last always run.
/// </summary>
/// <param name="coefficients">
/// Of the polynomial, highest power first; null adds up the change itself. A polynomial may fall below zero where it was not fitted: that
/// counts as no change, or the sum would fall and blocks would hardly ever run again.
/// </param>
/// <param name="type">What residuals are kept in.</param>
public sealed class TeaCache(IReadOnlyList<double>? coefficients, double threshold, int steps, ScalarType type) : IStepCache
{
    private readonly Branch[] _branches = [new(type), new(type)];

    public int Skipped => _branches.Sum(branch => branch.Cached.Skipped);

    public long Bytes => _branches.Sum(branch => branch.Cached.Bytes);

    public IBlockSkipper Forward(int step, GuidanceBranch branch) =>
        _branches[(int)branch].Cached.Forward(modulation => Skips(_branches[(int)branch], step, modulation));

    public void ExpertChanged()
    {
        foreach (var branch in _branches)
        {
            branch.Clear();
        }
    }

    public void Dispose()
    {
        foreach (var branch in _branches)
        {
            branch.Dispose();
        }
    }

    private bool Skips(Branch branch, int step, Modulation modulation)
    {
        using var scope = NewDisposeScope();
        var signal = modulation.E.select(1, modulation.E.shape[1] - 1); // Where frames are given, of those that are not
        double change = branch.Signal is { } before ? ((signal - before).abs().mean() / before.abs().mean()).item<float>() : 0;
        branch.Remember(signal);
        if (step == 0 || step >= steps - 1 || branch.Cached.IsEmpty)
        {
            branch.Sum = 0;
            return false;
        }
        branch.Sum += coefficients is null ? change : Math.Max(0, coefficients.Aggregate(0.0, (sum, next) => (sum * change) + next));
        if (branch.Sum < threshold)
        {
            return true;
        }

        branch.Sum = 0;
        return false;
    }

    private sealed class Branch(ScalarType type) : IDisposable
    {
        public CachedBranch Cached { get; } = new(type);

        public Tensor? Signal { get; private set; }

        public double Sum { get; set; }

        public void Remember(Tensor signal)
        {
            Signal?.Dispose();
            Signal = signal.clone().DetachFromDisposeScope();
        }

        public void Clear()
        {
            Cached.Clear();
            Signal?.Dispose();
            (Signal, Sum) = (null, 0);
        }

        public void Dispose() => Clear();
    }
}
