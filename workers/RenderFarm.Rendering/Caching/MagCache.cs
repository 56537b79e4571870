using RenderFarm.Planning.StepCaching;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Caching;

/// <summary>
/// MagCache (Ma et al. 2025): residuals of neighbouring steps differ mostly in length, and by how much was measured
/// beforehand. The product of those ratios since the blocks last ran says how wrong the kept residual is by now.
/// </summary>
/// <param name="highNoiseSteps">Steps of the high-noise expert; 0 where there is one DiT.</param>
/// <param name="type">What residuals are kept in.</param>
public sealed class MagCache(MagnitudeRatios published, MagCacheSettings settings, int steps, int highNoiseSteps, ScalarType type)
    : IStepCache
{
    private readonly MagnitudeRatios _ratios = published.For(steps);
    private readonly Branch[] _branches = [new(type), new(type)];

    public int Skipped => _branches.Sum(branch => branch.Cached.Skipped);

    public long Bytes => _branches.Sum(branch => branch.Cached.Bytes);

    public IBlockSkipper Forward(int step, GuidanceBranch branch)
    {
        var state = _branches[(int)branch];
        return state.Cached.Forward(_ =>
            Allowed((2 * step) + (int)branch)
            && !state.Cached.IsEmpty
            && state.Skips((branch == GuidanceBranch.Conditional ? _ratios.Conditional : _ratios.Unconditional)[step], settings)
        );
    }

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

    /// <param name="call">Forwards are counted two a step, as the ratios were measured.</param>
    private bool Allowed(int call)
    {
        var all = 2 * steps;
        var high = 2 * highNoiseSteps;
        if (high == 0)
        {
            return call >= (int)(all * settings.Retention);
        }

        if (call < high)
        {
            return settings.HighNoiseToo && call >= (int)(high * settings.Retention);
        }

        var first = (int)(high + ((all - high) * settings.Retention)); // Cut off, as the authors do
        return settings.HighNoiseToo ? call > first : call >= first; // As the authors have it for each model
    }

    private sealed class Branch(ScalarType type) : IDisposable
    {
        private double _ratio = 1,
            _error;
        private int _inARow;

        public CachedBranch Cached { get; } = new(type);

        public bool Skips(double next, MagCacheSettings settings)
        {
            _ratio *= next;
            _inARow++;
            _error += Math.Abs(1 - _ratio);
            if (_error < settings.Threshold && _inARow <= settings.MostInARow)
            {
                return true;
            }

            (_ratio, _error, _inARow) = (1, 0, 0);
            return false;
        }

        public void Clear()
        {
            Cached.Clear();
            (_ratio, _error, _inARow) = (1, 0, 0);
        }

        public void Dispose() => Cached.Dispose();
    }
}
