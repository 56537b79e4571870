using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;
using RenderFarm.Simulation.Cards;

namespace RenderFarm.Simulation.Demand;

/// <summary>What the queue knows of a job.</summary>
/// <param name="EstimatedSeconds">What it adds to its key's virtual time.</param>
internal sealed record JobNeeds(string Model, int VramClass, long LeastBytes, double EstimatedSeconds);

/// <summary>Videos that are alike to the planner: one model, one size, as many steps.</summary>
/// <param name="name">For tables.</param>
/// <param name="share">Of all videos, as a weight.</param>
/// <param name="needs">For the queue.</param>
/// <param name="spec">For the store.</param>
/// <param name="secondsOn">Asked once for each kind of card.</param>
internal sealed class VideoKind(string name, double share, JobNeeds needs, RenderSpec spec, Func<CardKind, double?> secondsOn)
{
    private readonly Dictionary<string, double?> _seconds = [];

    public string Name => name;
    public double Share => share;
    public JobNeeds Needs => needs;
    public RenderSpec Spec => spec;

    /// <summary>From lease to last frame on such a card; null where no plan fits.</summary>
    public double? SecondsOn(CardKind card)
    {
        if (!_seconds.TryGetValue(card.Name, out var seconds))
        {
            _seconds[card.Name] = seconds = secondsOn(card);
        }

        return seconds;
    }

    /// <summary>Every figure is the planner's own.</summary>
    public static VideoKind Planned(string name, double share, RenderSpec spec)
    {
        var request = PlanRequest.Of(ModelShapes.Get(spec.Model), spec);
        var vramClass = VramClass.Of(request) ?? throw new ArgumentException($"no card can make '{name}'", nameof(spec));
        var least = Planner.Plan(request, VramClass.SmallestCard(vramClass));
        return new VideoKind(
            name,
            share,
            new JobNeeds(spec.Model, vramClass, least.Alternatives[^1].PredictedPeakBytes, least.Plan!.PredictedSeconds),
            spec,
            card => Planner.Plan(request, card.State).Plan?.PredictedSeconds
        );
    }

    /// <summary>Drafts in few steps, as people try prompts, and what comes of the good ones. A mix of our own making.</summary>
    public static IReadOnlyList<VideoKind> Mixed { get; } =
    [
        Of("14B in 4 steps, 480p, 33 frames", 16, ModelShapes.T2v14B, 832, 480, 33, 4, 1),
        Of("14B in 4 steps, 480p, 81 frames", 22, ModelShapes.T2v14B, 832, 480, 81, 4, 1),
        Of("1.3B, 480p, 81 frames", 12, ModelShapes.T2v1Point3B, 832, 480, 81, 30, 5),
        Of("A14B in 4 steps, 720p, 81 frames", 6, ModelShapes.T2vA14B, 1280, 720, 81, 4, 1),
        Of("5B, 704p, 121 frames", 10, ModelShapes.Ti2v5B, 1280, 704, 121, 30, 5),
        Of("14B, 480p, 81 frames", 18, ModelShapes.T2v14B, 832, 480, 81, 30, 5),
        Of("14B in 4 steps, 720p, 161 frames", 5, ModelShapes.T2v14B, 1280, 720, 161, 4, 1),
        Of("14B, 720p, 81 frames", 10, ModelShapes.T2v14B, 1280, 720, 81, 30, 5),
        Of("14B in 4 steps, 720p, 257 frames", 1, ModelShapes.T2v14B, 1280, 720, 257, 4, 1),
    ];

    private static VideoKind Of(
        string name,
        double share,
        ModelShape shape,
        int width,
        int height,
        int frames,
        int steps,
        double guidance
    ) =>
        Planned(
            name,
            share,
            new RenderSpec
            {
                Model = shape.Id,
                Prompt = "a red ball rolls to the right",
                Width = width,
                Height = height,
                Frames = frames,
                Fps = shape.Defaults.Fps,
                Steps = steps,
                GuidanceScale = guidance,
                Shift = shape.Defaults.Shift,
                Seed = 1,
            }
        );
}
