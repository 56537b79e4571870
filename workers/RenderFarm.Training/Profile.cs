using System.Diagnostics;
using RenderFarm.Inference.Layers;
using RenderFarm.Training.Stages;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training;

/// <summary>
/// Where a step's time goes, on random weights: seconds of its parts, one after the other, and of a whole step as training runs
/// it.
/// </summary>
internal sealed class Profile(TrainingOptions options, Journal journal)
{
    private const int Warm = 3;
    private const int Steps = 8;

    public void Run()
    {
        var videos = options with { PicturesShare = 0, Windows = [options.Windows[0]] };
        // A CPU trains in the first of them
        foreach (var products in options.OnCard ? VaeProducts.All : VaeProducts.All.Take(2))
        {
            Vae(videos, products, options.Windows[0].Size.ToString());
        }

        Vae(options with { PicturesShare = 2 }, VaeProducts.All[options.OnCard ? 1 : 0], "single frames");
        Denoiser();
        journal.Write(Path.Combine(options.Output, options.Curves));
    }

    private void Vae(TrainingOptions these, VaeProducts products, string clips)
    {
        using var trainer = new VaeTrainer(these, journal);
        Measure($"vae, {clips}, {products}", parts => trainer.Step(products, 1e-5, tell: false, share: 1, parts));
    }

    private void Denoiser()
    {
        using var text = new TextTrainer(options, journal);
        using var weights = new FlatParameters(WeightListing.Of(scope => new WanVae(scope, options.Shape.Vae)), options.Device);
        weights.Initialize(Initializer.For(options.Seed));
        using var scope = NewDisposeScope();
        var vae = new WanVae(weights.Open(ScalarType.Float32), options.Shape.Vae) { FramesAsChannels = options.OnCard };
        var encoder = new Umt5Encoder(text.Parameters.Open(ScalarType.Float32).Scope(TextTrainer.Encoder), options.Shape.TextEncoder);
        using var trainer = new DenoiserTrainer(options with { Sizes = [options.Sizes[0]] }, journal, vae, encoder);
        Measure("text encoder", _ => text.Step(1e-5, tell: false));
        var count = options.OnCard ? 64 : 2;
        Measure($"{count} clips drawn anew", parts => trainer.Refresh(0, count, parts));
        var type = options.OnCard ? ScalarType.BFloat16 : ScalarType.Float32;
        Measure($"denoiser, {type}", parts => trainer.Step(type, 1e-5, tell: false, parts));
    }

    private void Measure(string name, Action<StepParts> step)
    {
        for (var i = 0; i < Warm; i++)
        {
            step(StepParts.None);
        }

        var parts = new StepParts(options.Device);
        for (var i = 0; i < Steps; i++)
        {
            step(parts);
        }

        foreach (var (part, seconds) in parts.Seconds)
        {
            journal.Fact($"{name}: {part}", seconds / Steps);
        }

        parts.Wait();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Steps; i++)
        {
            step(StepParts.None);
        }

        parts.Wait();
        journal.Fact($"{name}: whole step", Stopwatch.GetElapsedTime(started).TotalSeconds / Steps);
    }
}
