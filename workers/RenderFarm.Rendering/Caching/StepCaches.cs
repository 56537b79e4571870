using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.StepCaching;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Caching;

/// <summary>The step cache of a request, with what was published for its model.</summary>
public static class StepCaches
{
    /// <param name="highNoiseSteps">Steps of the high-noise expert; 0 where there is one DiT.</param>
    /// <param name="type">What residuals are kept in.</param>
    /// <returns>Null where the request wants none.</returns>
    /// <exception cref="RenderException">Nothing was published for this model; names those for which it was.</exception>
    public static IStepCache? Create(RenderSpec spec, bool fromPicture, int highNoiseSteps, ScalarType type)
    {
        if (spec.StepCache is not { } choice)
        {
            return null;
        }

        if (PublishedStepCaches.Fault(spec.Model, choice) is { } fault)
        {
            throw new RenderException(FailureReason.InvalidRequest, $"step_cache: {fault}");
        }

        if (choice.Kind == StepCacheKind.Teacache)
        {
            var tea = PublishedStepCaches.TeaCache(spec.Model)!;
            return new TeaCache(tea.Coefficients, choice.Threshold ?? tea.Threshold!.Value, spec.Steps, type);
        }
        var mag = PublishedStepCaches.MagCache(spec.Model)!;
        var settings = mag.Settings with { Threshold = choice.Threshold ?? mag.Settings.Threshold };
        return new MagCache(fromPicture ? mag.Image : mag.Text, settings, spec.Steps, highNoiseSteps, type);
    }
}
