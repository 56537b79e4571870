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
/// the rest; only the one whose turn it is takes memory of the device, and there is one change a job. The other one's weights are
/// brought near meanwhile.
/// </summary>
internal sealed class Experts : IDisposable
{
    private const int LookEveryMilliseconds = 100;
    private readonly Components _components;
    private readonly RenderOrder _order;
    private readonly EncodedPrompts _prompts;
    private readonly EncodedPictures _pictures;
    private readonly FlowSchedule _schedule;
    private readonly StageMeter _meter;
    private readonly IStepCache? _stepCache;
    private readonly HashSet<string> _notes = [];
    private ModelPart? _loadedPart;
    private LoadedTransformer? _loaded;
    private DenoiseInput? _input;
    private readonly CancellationTokenSource _ended = new();
    private Task _near = Task.CompletedTask;

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
        (_components, _order, _prompts, _pictures, _schedule, _meter) = (
            components,
            order,
            prompts,
            pictures,
            schedule,
            meter
        );
        var high = order.Shape.Experts == 1 ? 0 : Enumerable.Range(0, schedule.Steps).Count(step => PartOf(step) == ModelPart.Transformer);
        _stepCache = StepCaches.Create(
            order.Spec,
            order.InputFiles.Count > 0,
            high,
            order.Plan.Precision == Precision.Fp32 ? torch.ScalarType.Float32 : torch.ScalarType.BFloat16
        );
    }

    /// <summary>What the user should know of the LoRAs and the attention of every expert that has been loaded.</summary>
    public IReadOnlyCollection<string> Notes => [.. _notes.Union(_loaded?.Notes ?? [])];

    /// <summary>Forwards whose blocks a step cache left out so far.</summary>
    public int Skipped => _stepCache?.Skipped ?? 0;

    /// <summary>Of the expert whose turn it is; both branches in one batch count as one.</summary>
    public int ForwardsAStep => _input is { Unconditional: not null, Both: null } ? 2 : 1;

    /// <summary>Whether any expert is guided by a second prediction.</summary>
    public static bool NeedUnconditional(RenderOrder order) =>
        Guidance.NeedsUnconditional(order.Spec.GuidanceScale)
        || (order.Shape.Experts == 2 && Guidance.NeedsUnconditional(HighNoiseScale(order.Spec)));

    /// <summary>What this step runs on, loaded if it isn't yet; valid until the next call.</summary>
    public DenoiseInput For(int step)
    {
        var part = PartOf(step);
        if (part != _loadedPart)
        {
            Load(part, midway: _loadedPart is not null);
        }

        return _input!;
    }

    public void Dispose()
    {
        _ended.Cancel();
        AwaitNear(() => { });
        _ended.Dispose();
        Unload();
        _stepCache?.Dispose();
    }

    private void Unload()
    {
        _input?.Conditional.Dispose();
        _input?.Unconditional?.Dispose();
        _input?.Both?.Dispose();
        _notes.UnionWith(_loaded?.Notes ?? []);
        _loaded?.Dispose();
        (_loadedPart, _loaded, _input) = (null, null, null);
    }

    /// <param name="alive">Called while it takes; may throw to end the wait.</param>
    private void AwaitNear(Action alive)
    {
        while (Task.WaitAny([_near], LookEveryMilliseconds) < 0)
        {
            alive();
        }
    }

    private ModelPart PartOf(int step)
    {
        if (_order.Shape.Experts == 1)
        {
            return ModelPart.Transformer;
        }

        var high = _order.Spec.BoundaryStep is { } first
            ? step < first
            : _schedule.Timesteps[step] >= _order.Shape.Boundary!.Value * FlowSchedule.TrainTimesteps;
        return high ? ModelPart.Transformer : ModelPart.TransformerLowNoise;
    }

    private void Load(ModelPart part, bool midway)
    {
        Unload();
        _stepCache?.ExpertChanged();
        _components.TrimMemory();
        _meter.Enter(RenderStage.Loading);
        AwaitNear(_components.Alive);
        _loaded = _components.Transformer(part);
        _loadedPart = part;
        if (part == ModelPart.Transformer && PartOf(_schedule.Steps - 1) is ModelPart.TransformerLowNoise and var next)
        {
            _near = _components.BringNear(next, _ended.Token);
        }

        var model = _loaded.Module;
        var scale = _order.Shape.Experts == 2 && part == ModelPart.Transformer ? HighNoiseScale(_order.Spec) : _order.Spec.GuidanceScale;
        // A thousandth of a step on a card, where they would take 800 MiB of 14B
        var keeps = _components.Device.type == DeviceType.CPU;
        ContextCache Embed(params IReadOnlyList<torch.Tensor> contexts)
        {
            using var features = _pictures.Features?.repeat(contexts.Count, 1, 1); // Every sample sees the same pictures
            return model.Embed(contexts, features, keepKeyValues: keeps);
        }
        var conditional = Embed(_prompts.Conditional);
        var unconditional = Guidance.NeedsUnconditional(scale) && _prompts.Unconditional is { } negative ? Embed(negative) : null;
        _input = new DenoiseInput(model, conditional, unconditional, scale)
        {
            Both =
                _order.Plan.GuidanceBatched && _stepCache is null && unconditional is not null
                    ? Embed(_prompts.Conditional, _prompts.Unconditional!)
                    : null,
            StepCache = _stepCache,
            Channels = _pictures.Channels,
            FeedForwardTokens = _order.Plan.FfnChunkTokens > 0 ? _order.Plan.FfnChunkTokens : long.MaxValue,
        };
        if (midway)
        {
            _meter.Enter(RenderStage.Denoising);
        }
    }

    private static double HighNoiseScale(RenderSpec spec) => spec.HighNoiseGuidanceScale ?? spec.GuidanceScale;
}
