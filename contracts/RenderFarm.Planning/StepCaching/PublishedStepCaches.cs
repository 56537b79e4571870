using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.StepCaching;

/// <param name="Coefficients">
/// Of the polynomial from a change of the time embedding to a change of the output, highest power first; null where the change itself is
/// taken.
/// </param>
/// <param name="Threshold">The middle one of those published; null where there is none.</param>
public sealed record TeaCacheFigures(IReadOnlyList<double>? Coefficients, double? Threshold);

/// <param name="Text">Ratios from a prompt alone.</param>
/// <param name="Image">Ratios from a picture.</param>
public sealed record MagCacheFigures(MagnitudeRatios Text, MagnitudeRatios Image, MagCacheSettings Settings);

/// <summary>How far MagCache goes.</summary>
/// <param name="Threshold">Error that may add up.</param>
/// <param name="MostInARow">Forwards left out one after the other.</param>
/// <param name="Retention">Part of the run, of each expert's where there are two, that always runs first.</param>
/// <param name="HighNoiseToo">Whether the high-noise expert's steps may be left out.</param>
public sealed record MagCacheSettings(double Threshold, int MostInARow, double Retention, bool HighNoiseToo = true);

/// <summary>What the authors of step caches published, model by model. Fitted at each model's default steps and shift.</summary>
public static class PublishedStepCaches
{
    private static readonly Dictionary<string, TeaCacheFigures> Tea = new(StringComparer.Ordinal)
    {
        [ModelShapes.T2v1Point3B.Id] = new([2.39676752e+03, -1.31110545e+03, 2.01331979e+02, -8.29855975e+00, 1.37887774e-01], 0.07),
        [ModelShapes.T2v14B.Id] = new([-5784.54975374, 5449.50911966, -1811.16591783, 256.27178429, -13.02252404], 0.15),
        [ModelShapes.I2v14B480.Id] = new([-3.02331670e+02, 2.23948934e+02, -5.25463970e+01, 5.87348440e+00, -2.01973289e-01], 0.19),
        [ModelShapes.I2v14B720.Id] = new([-114.36346466, 65.26524496, -18.82220707, 4.91518089, -0.23412683], 0.2),
        // The polynomial that goes round is −4.8 at no change, so its source adds up the change itself for this model; no threshold
        [ModelShapes.Ti2v5B.Id] = new(Coefficients: null, Threshold: null),
    };

    private static readonly Dictionary<string, MagCacheFigures> Mag = new(StringComparer.Ordinal)
    {
        [ModelShapes.T2v1Point3B.Id] = new(MagnitudeRatios.T2v1Point3B, MagnitudeRatios.T2v1Point3B, new(0.12, 4, 0.2)),
        [ModelShapes.T2v14B.Id] = new(MagnitudeRatios.T2v14B, MagnitudeRatios.T2v14B, new(0.24, 6, 0.2)),
        [ModelShapes.I2v14B480.Id] = new(MagnitudeRatios.I2v14B480, MagnitudeRatios.I2v14B480, new(0.24, 6, 0.2)),
        [ModelShapes.I2v14B720.Id] = new(MagnitudeRatios.I2v14B720, MagnitudeRatios.I2v14B720, new(0.24, 6, 0.2)),
        [ModelShapes.Ti2v5B.Id] = new(MagnitudeRatios.Ti2v5BText, MagnitudeRatios.Ti2v5BImage, new(0.06, 2, 0.2)),
        [ModelShapes.T2vA14B.Id] = new(MagnitudeRatios.T2vA14B, MagnitudeRatios.T2vA14B, new(0.06, 2, 0.4, HighNoiseToo: false)),
        [ModelShapes.I2vA14B.Id] = new(MagnitudeRatios.I2vA14B, MagnitudeRatios.I2vA14B, new(0.06, 2, 0.1)),
    };

    public static TeaCacheFigures? TeaCache(string model) => Tea.GetValueOrDefault(model);

    public static MagCacheFigures? MagCache(string model) => Mag.GetValueOrDefault(model);

    /// <summary>What is wrong with this choice for this model, and what would be right; null when nothing is.</summary>
    public static string? Fault(string model, StepCacheChoice choice)
    {
        IReadOnlyCollection<string> known = choice.Kind == StepCacheKind.Teacache ? Tea.Keys : Mag.Keys;
        if (!known.Contains(model))
        {
            return $"nothing was published for {model} and {Name(choice.Kind)}; there is for {string.Join(", ", known)}";
        }

        return choice.Kind == StepCacheKind.Teacache && Tea[model].Threshold is null && choice.Threshold is null
            ? $"no threshold was published for {Name(choice.Kind)} with {model}; give step_cache.threshold, such as 0.1"
            : null;
    }

    private static string Name(StepCacheKind kind) => kind == StepCacheKind.Teacache ? "teacache" : "magcache";
}
