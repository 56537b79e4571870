using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.StepCaching;
using RenderFarm.Rendering;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;
using TorchSharp;

namespace RenderFarm.Tools.Bench.StepCaches;

/// <summary>
/// <c>bench step-cache DIR</c>: the same video computed whole and with each step cache: how many forwards are left out, what
/// that saves, and how far the frames are from those of the full run.
/// </summary>
internal static class StepCacheBench
{
    public static int Run(StepCacheChoices asked, FigureReport report)
    {
        var file = Path.Combine(asked.Folder, ModelManifest.FileName);
        if (!File.Exists(file))
        {
            throw VerbException.Wrong($"dir: there is no {ModelManifest.FileName} in {asked.Folder}; name a folder that holds a model");
        }
        try
        {
            return Run(asked, JsonSerializer.Deserialize(File.ReadAllBytes(file), ContractsJson.Default.ModelManifest)!, report);
        }
        catch (Exception error) when (error is RenderException or JsonException)
        {
            throw new VerbException($"step-cache: {error.Message}");
        }
    }

    private static int Run(StepCacheChoices asked, ModelManifest manifest, FigureReport report)
    {
        var figuresOf = asked.As ?? manifest.Shape.Id;
        var choices = Choices(figuresOf).ToList();
        if (choices.Count == 0)
        {
            var fault = PublishedStepCaches.Fault(figuresOf, new StepCacheChoice(StepCacheKind.Magcache));
            throw VerbException.Wrong($"{fault}; --as takes the figures of one of these");
        }
        torch.InitializeDeviceType(asked.Device == "cuda" ? DeviceType.CUDA : DeviceType.CPU);
        using var noGradients = torch.no_grad();
        var order = asked.Order(manifest, figuresOf);
        var full = CachedRun.Of(order);
        var runs = new JsonArray();
        Say(report, $"{"",-22} {"left out",12} {"denoising",12} {"faster",8} {"error",8} {"PSNR",9}");
        Say(report, $"{"full run",-22} {"",12} {full.Seconds,10:0.00} s");
        foreach (var (choice, published) in choices)
        {
            var cached = CachedRun.Of(order with { Spec = order.Spec with { StepCache = choice } });
            runs.Add((JsonNode)Compare(report, full, cached, choice, published));
        }
        var whose = figuresOf == manifest.Shape.Id ? "" : $", which {manifest.Shape.Id} is not";
        report.Say($"* as published for {figuresOf}{whose}. error: root mean square of the frames' difference, of the range of values.");
        report.Details["model"] = manifest.Shape.Id;
        report.Details["figures_of"] = figuresOf;
        report.Details["steps"] = order.Spec.Steps;
        report.Details["runs"] = runs;
        return report.Finish();
    }

    private static JsonObject Compare(FigureReport report, CachedRun full, CachedRun cached, StepCacheChoice choice, bool published)
    {
        var error = full.DistanceTo(cached);
        var decibels = -20 * Math.Log10(error);
        var kind = choice.Kind == StepCacheKind.Teacache ? "teacache" : "magcache";
        var name = string.Create(CultureInfo.InvariantCulture, $"{kind} {choice.Threshold:0.####}{(published ? " *" : "")}");
        var likeness = error == 0 ? "exact" : string.Create(CultureInfo.InvariantCulture, $"{decibels:0.0} dB");
        var leftOut = $"{cached.LeftOut} of {full.Forwards}";
        var faster = full.Seconds / cached.Seconds;
        Say(
            report,
            $"{name,-22} {leftOut,12} {cached.Seconds,10:0.00} s {faster,7:0.00}x {error,8:0.0000} {likeness,9}"
        );
        return new JsonObject
        {
            ["kind"] = kind,
            ["threshold"] = choice.Threshold,
            ["published"] = published,
            ["forwards_left_out"] = cached.LeftOut,
            ["forwards"] = full.Forwards,
            ["seconds"] = cached.Seconds,
            ["full_seconds"] = full.Seconds,
            ["error"] = error,
            ["psnr_db"] = error == 0 ? null : decibels,
        };
    }

    private static IEnumerable<(StepCacheChoice Choice, bool Published)> Choices(string model)
    {
        var known = new[]
        {
            (Kind: StepCacheKind.Teacache, PublishedStepCaches.TeaCache(model)?.Threshold),
            (Kind: StepCacheKind.Magcache, PublishedStepCaches.MagCache(model)?.Settings.Threshold),
        };
        foreach (var (kind, threshold) in known)
        {
            if (threshold is { } published)
            {
                foreach (var times in new[] { 0.5, 1, 2 })
                {
                    yield return (new StepCacheChoice(kind, published * times), times == 1);
                }
            }
        }
    }

    private static void Say(FigureReport report, FormattableString line) => report.Say(line.ToString(CultureInfo.InvariantCulture));
}
