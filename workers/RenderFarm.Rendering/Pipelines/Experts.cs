using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Caching;
using RenderFarm.Rendering.Conditioning;
using RenderFarm.Rendering.Loading;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Wan.Transformer;
using TorchSharp;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// The DiT that a step runs on. Of two experts the high-noise one takes the steps from the boundary up and the low-noise one
/// the rest; only the one whose turn it is takes memory, and there is one change a job.
/// </summary>
internal sealed class Experts : IDisposable
{
    private readonly Components components;
    private readonly RenderOrder order;
    private readonly EncodedPrompts prompts;
    private readonly EncodedPictures pictures;
    private readonly FlowSchedule schedule;
    private readonly StageMeter meter;
    private readonly IStepCache? stepCache;
    private readonly HashSet<string> notes = [];
    private ModelPart? loadedPart;
    private LoadedTransformer? loaded;
    private DenoiseInput? input;

    /// <param name="prompts">Belong to the caller, like <paramref name="pictures"/>.</param>
    /// <param name="meter">Told when an expert is loaded in the middle of denoising.</param>
    public Experts(
        Components components,
        RenderOrder order,
        EncodedPrompts prompts,
        EncodedPictures pictures,
        FlowSchedule schedule,
        StageMeter meter
    )
    {
        (this.components, this.order, this.prompts, this.pictures, this.schedule, this.meter) = (
            components,
            order,
            prompts,
            pictures,
            schedule,
            meter
        );
        int high = order.Shape.Experts == 1 ? 0 : Enumerable.Range(0, schedule.Steps).Count(step => PartOf(step) == ModelPart.Transformer);
        stepCache = StepCaches.Create(
            order.Spec,
            order.InputFiles.Count > 0,
            high,
            order.Plan.Precision == Precision.Fp32 ? torch.ScalarType.Float32 : torch.ScalarType.BFloat16
        );
    }

    /// <summary>What the user should know of the LoRAs, of every expert that has been loaded.</summary>
    public IReadOnlyCollection<string> Notes => notes;

    /// <summary>Forwards whose blocks a step cache left out so far.</summary>
    public int Skipped => stepCache?.Skipped ?? 0;

    /// <summary>Of the expert whose turn it is; both branches in one batch count as one.</summary>
    public int ForwardsAStep => input is { Unconditional: not null, Both: null } ? 2 : 1;

    /// <summary>Whether any expert is guided by a second prediction.</summary>
    public static bool NeedUnconditional(RenderOrder order) =>
        Guidance.NeedsUnconditional(order.Spec.GuidanceScale)
        || (order.Shape.Experts == 2 && Guidance.NeedsUnconditional(HighNoiseScale(order.Spec)));

    /// <summary>What this step runs on, loaded if it isn't yet; valid until the next call.</summary>
    public DenoiseInput For(int step)
    {
        var part = PartOf(step);
        if (part != loadedPart)
            Load(part, midway: loadedPart is not null);
        return input!;
    }

    public void Dispose()
    {
        Unload();
        stepCache?.Dispose();
    }

    private void Unload()
    {
        input?.Conditional.Dispose();
        input?.Unconditional?.Dispose();
        input?.Both?.Dispose();
        loaded?.Dispose();
        (loadedPart, loaded, input) = (null, null, null);
    }

    private ModelPart PartOf(int step)
    {
        if (order.Shape.Experts == 1)
            return ModelPart.Transformer;
        bool high = order.Spec.BoundaryStep is { } first
            ? step < first
            : schedule.Timesteps[step] >= order.Shape.Boundary!.Value * FlowSchedule.TrainTimesteps;
        return high ? ModelPart.Transformer : ModelPart.TransformerLowNoise;
    }

    private void Load(ModelPart part, bool midway)
    {
        Unload();
        stepCache?.ExpertChanged();
        components.TrimMemory();
        meter.Enter(RenderStage.Loading);
        loaded = components.Transformer(part);
        loadedPart = part;
        notes.UnionWith(loaded.Notes);
        var model = loaded.Module;
        double scale = order.Shape.Experts == 2 && part == ModelPart.Transformer ? HighNoiseScale(order.Spec) : order.Spec.GuidanceScale;
        // a thousandth of a step on a card, where they would take 800 MiB of 14B
        bool keeps = components.Device.type == DeviceType.CPU;
        ContextCache Embed(params IReadOnlyList<torch.Tensor> contexts)
        {
            using var features = pictures.Features?.repeat(contexts.Count, 1, 1); // every sample sees the same pictures
            return model.Embed(contexts, features, keepKeyValues: keeps);
        }
        var conditional = Embed(prompts.Conditional);
        var unconditional = Guidance.NeedsUnconditional(scale) && prompts.Unconditional is { } negative ? Embed(negative) : null;
        input = new DenoiseInput(model, conditional, unconditional, scale)
        {
            Both =
                order.Plan.GuidanceBatched && stepCache is null && unconditional is not null
                    ? Embed(prompts.Conditional, prompts.Unconditional!)
                    : null,
            StepCache = stepCache,
            Channels = pictures.Channels,
            FeedForwardTokens = order.Plan.FfnChunkTokens > 0 ? order.Plan.FfnChunkTokens : long.MaxValue,
        };
        if (midway)
            meter.Enter(RenderStage.Denoising);
    }

    private static double HighNoiseScale(RenderSpec spec) => spec.HighNoiseGuidanceScale ?? spec.GuidanceScale;
}
