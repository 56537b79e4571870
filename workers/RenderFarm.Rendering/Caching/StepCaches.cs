using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Pipelines;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Caching;

/// <summary>What was published for which model, and the step cache of a request.</summary>
public static class StepCaches
{
    private sealed record TeaCacheEntry(double[] Coefficients, double? Threshold);

    private static readonly Dictionary<string, TeaCacheEntry> Tea = new(StringComparer.Ordinal)
    {
        [ModelShapes.T2v1Point3B.Id] = new([2.39676752e+03, -1.31110545e+03, 2.01331979e+02, -8.29855975e+00, 1.37887774e-01], 0.07),
        [ModelShapes.T2v14B.Id] = new([-5784.54975374, 5449.50911966, -1811.16591783, 256.27178429, -13.02252404], 0.15),
        [ModelShapes.I2v14B480.Id] = new([-3.02331670e+02, 2.23948934e+02, -5.25463970e+01, 5.87348440e+00, -2.01973289e-01], 0.19),
        [ModelShapes.I2v14B720.Id] = new([-114.36346466, 65.26524496, -18.82220707, 4.91518089, -0.23412683], 0.2),
        // of another project's configuration, without a threshold
        [ModelShapes.Ti2v5B.Id] = new([1.57472669e+05, -1.15702395e+05, 3.10761669e+04, -3.83116651e+03, 2.21608777e+02, -4.81179567], null),
    };

    private static readonly Dictionary<string, (MagnitudeRatios Text, MagnitudeRatios Image, MagCacheSettings Settings)> Mag = new(StringComparer.Ordinal)
    {
        [ModelShapes.T2v1Point3B.Id] = (MagnitudeRatios.T2v1Point3B, MagnitudeRatios.T2v1Point3B, new(0.12, 4, 0.2)),
        [ModelShapes.T2v14B.Id] = (MagnitudeRatios.T2v14B, MagnitudeRatios.T2v14B, new(0.24, 6, 0.2)),
        [ModelShapes.I2v14B480.Id] = (MagnitudeRatios.I2v14B480, MagnitudeRatios.I2v14B480, new(0.24, 6, 0.2)),
        [ModelShapes.I2v14B720.Id] = (MagnitudeRatios.I2v14B720, MagnitudeRatios.I2v14B720, new(0.24, 6, 0.2)),
        [ModelShapes.Ti2v5B.Id] = (MagnitudeRatios.Ti2v5BText, MagnitudeRatios.Ti2v5BImage, new(0.06, 2, 0.2)),
        [ModelShapes.T2vA14B.Id] = (MagnitudeRatios.T2vA14B, MagnitudeRatios.T2vA14B, new(0.06, 2, 0.4, HighNoiseToo: false)),
        [ModelShapes.I2vA14B.Id] = (MagnitudeRatios.I2vA14B, MagnitudeRatios.I2vA14B, new(0.06, 2, 0.1)),
    };

    /// <param name="highNoiseSteps">Steps of the high-noise expert; 0 where there is one DiT.</param>
    /// <param name="type">What residuals are kept in.</param>
    /// <returns>Null where the request wants none.</returns>
    /// <exception cref="RenderException">Nothing was published for this model; names those for which it was.</exception>
    public static IStepCache? Create(RenderSpec spec, bool fromPicture, int highNoiseSteps, ScalarType type)
    {
        if (spec.StepCache is not { } choice) return null;
        if (choice.Kind == StepCacheKind.Teacache)
        {
            if (!Tea.TryGetValue(spec.Model, out var tea)) throw Unpublished(choice.Kind, spec.Model, Tea.Keys);
            double threshold = choice.Threshold ?? tea.Threshold
                ?? throw new RenderException(FailureReason.InvalidRequest, $"step_cache.threshold: none was published for TeaCache with {spec.Model}; give one, such as 0.1");
            return new TeaCache(tea.Coefficients, threshold, spec.Steps, type);
        }
        if (!Mag.TryGetValue(spec.Model, out var mag)) throw Unpublished(choice.Kind, spec.Model, Mag.Keys);
        var settings = mag.Settings with { Threshold = choice.Threshold ?? mag.Settings.Threshold };
        return new MagCache(fromPicture ? mag.Image : mag.Text, settings, spec.Steps, highNoiseSteps, type);
    }

    private static RenderException Unpublished(StepCacheKind kind, string model, IEnumerable<string> published) => new(FailureReason.InvalidRequest,
        $"step_cache: {kind} has no published figures for {model}; it has for {string.Join(", ", published)}");
}
