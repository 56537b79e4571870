using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.StepCaching;
using RenderFarm.Rendering.Pipelines;
using TorchSharp;

namespace RenderFarm.Renderer.Bench;

/// <summary>
/// <c>bench step-cache DIR</c>: the same video computed whole and with each step cache: how many forwards are left out, what
/// that saves, and how far the frames are from those of the full run.
/// </summary>
internal static class StepCachePart
{
    public const string Usage = """
        bench step-cache DIR [--as MODEL] [--prompt TEXT] [--image FILE] [--last-frame FILE] [--size WxH] [--frames N]
                             [--steps N] [--seed N] [--device cpu|cuda] [--json]

        DIR is a model's folder (model.json). Each step cache that was published for the model runs at half, once and twice
        the published threshold. --as takes the figures of another model, for one that has none of its own.
        """;

    public static int Run(string[] args)
    {
        if (StepCacheOptions.Read(args) is not { } options)
        {
            return ExitCodes.Usage(Usage);
        }

        if (!File.Exists(Path.Combine(options.Folder, ModelManifest.FileName)))
        {
            return ExitCodes.Usage(
                $"step-cache: there is no {ModelManifest.FileName} in {options.Folder}; name a folder that holds a model"
            );
        }

        try
        {
            return Run(options);
        }
        catch (Exception e) when (e is RenderException or JsonException)
        {
            Console.Error.WriteLine($"step-cache: {e.Message}");
            return ExitCodes.Failed;
        }
    }

    private static int Run(StepCacheOptions options)
    {
        var manifest = JsonSerializer.Deserialize(
            File.ReadAllBytes(Path.Combine(options.Folder, ModelManifest.FileName)),
            ContractsJson.Default.ModelManifest
        )!;
        var figuresOf = options.As ?? manifest.Shape.Id;
        var choices = Choices(figuresOf).ToList();
        if (choices.Count == 0)
        {
            return ExitCodes.Usage(
                $"step-cache: {PublishedStepCaches.Fault(figuresOf, new StepCacheChoice(StepCacheKind.Magcache))}; --as takes the figures "
                    + "of one of these"
            );
        }

        torch.InitializeDeviceType(options.Device == "cuda" ? DeviceType.CUDA : DeviceType.CPU);
        using var noGradients = torch.no_grad();
        var (full, order) = (new Outcome(), options.Order(manifest, figuresOf));
        Render(order, full);
        var lines = new JsonArray();
        Say(options, $"{"",-22} {"left out",12} {"denoising",12} {"faster",8} {"error",8} {"PSNR",9}");
        Say(options, $"{"full run",-22} {"",12} {full.Seconds,10:0.00} s");
        foreach (var (choice, published) in choices)
        {
            var cached = new Outcome();
            Render(order with { Spec = order.Spec with { StepCache = choice } }, cached);
            var error = full.DistanceTo(cached);
            var psnr = -20 * Math.Log10(error);
            var kind = choice.Kind == StepCacheKind.Teacache ? "teacache" : "magcache";
            Say(
                options,
                $"{$"{kind} {choice.Threshold:0.####}{(published ? " *" : "")}",-22} {$"{cached.LeftOut} of {full.Forwards}",12} "
                    + $"{cached.Seconds,10:0.00} s {full.Seconds / cached.Seconds,7:0.00}x {error,8:0.0000} "
                    + $"{(error == 0 ? "exact" : $"{psnr:0.0} dB"),9}"
            );
            lines.Add(
                (JsonNode)
                    new JsonObject
                    {
                        ["kind"] = kind,
                        ["threshold"] = choice.Threshold,
                        ["published"] = published,
                        ["forwards_left_out"] = cached.LeftOut,
                        ["forwards"] = full.Forwards,
                        ["seconds"] = cached.Seconds,
                        ["full_seconds"] = full.Seconds,
                        ["error"] = error,
                        ["psnr_db"] = error == 0 ? null : psnr,
                    }
            );
        }
        Say(
            options,
            $"* as published for {figuresOf}{(figuresOf == manifest.Shape.Id ? "" : $", which {manifest.Shape.Id} is not")}. error: root "
                + "mean square of the frames' difference, of the range of values."
        );
        if (options.Json)
        {
            Console.Out.WriteLine(
                new JsonObject
                {
                    ["model"] = manifest.Shape.Id,
                    ["figures_of"] = figuresOf,
                    ["steps"] = order.Spec.Steps,
                    ["runs"] = lines,
                }.ToJsonString()
            );
        }

        return ExitCodes.Done;
    }

    private static IEnumerable<(StepCacheChoice Choice, bool Published)> Choices(string model)
    {
        foreach (
            var (kind, threshold) in new[]
            {
                (StepCacheKind.Teacache, PublishedStepCaches.TeaCache(model)?.Threshold),
                (StepCacheKind.Magcache, PublishedStepCaches.MagCache(model)?.Settings.Threshold),
            }
        )
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

    private static void Render(RenderOrder order, Outcome outcome)
    {
        var meter = new StageMeter();
        using var pipeline = new VideoPipeline(order, outcome, meter, CancellationToken.None);
        outcome.LeftOut = pipeline.Render(outcome).ForwardsLeftOut;
        outcome.Seconds = meter.Measured().DenoiseSeconds!.Value;
        var guided = order.Spec.GuidanceScale > 1 || order.Spec.HighNoiseGuidanceScale > 1;
        outcome.Forwards = order.Spec.Steps * (guided ? 2 : 1);
    }

    private static void Say(StepCacheOptions options, string line) => (options.Json ? Console.Error : Console.Out).WriteLine(line);

    /// <summary>The frames of one run and what it took.</summary>
    private sealed class Outcome : IFrameSink, IRenderObserver
    {
        private readonly List<byte> _frames = [];

        public double Seconds { get; set; }
        public int LeftOut { get; set; }
        public int Forwards { get; set; }

        public void Write(ReadOnlySpan<byte> rgb24) => _frames.AddRange(rgb24);

        public double DistanceTo(Outcome other)
        {
            ReadOnlySpan<byte> mine = CollectionsMarshal.AsSpan(_frames),
                its = CollectionsMarshal.AsSpan(other._frames);
            double sum = 0;
            for (var i = 0; i < mine.Length; i++)
            {
                sum += (mine[i] - its[i]) * (double)(mine[i] - its[i]);
            }

            return Math.Sqrt(sum / mine.Length) / 255;
        }

        public void StageStarted(RenderStage stage) { }

        public void Alive() { }

        public void StepDone(int step, int steps, double seconds) { }

        public void FramesWritten(int frames, int of) { }
    }
}
