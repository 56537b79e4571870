using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning.Stages;

/// <summary>Every way to run every stage of one request on one slot, worked out once and asked for many budgets.</summary>
internal sealed class PlanStages
{
    private readonly List<StageOption<TextEncoderPlacement>> _text;
    private readonly List<StageOption<int>> _decode;
    private readonly List<StageOption<int>> _image;
    private readonly DenoiseStage _denoise;

    public PlanStages(PlanContext context)
    {
        var vae = new VaeStage(context);
        _text = [.. new TextStage(context).Options()];
        _denoise = new DenoiseStage(context);
        _decode = [.. vae.DecodeOptions()];
        _image = context.Request.HasImage ? [.. vae.ImageOptions()] : [];
        Context = context;
    }

    public PlanContext Context { get; }

    /// <summary>The least that a plan of this request needs; null when pins or host memory leave none.</summary>
    public long? LeastPeakBytes
    {
        get
        {
            if (_text.Count == 0 || _decode.Count == 0 || _denoise.LeastPeakBytes is not { } dit)
            {
                return null;
            }

            var stages = Math.Max(_text.Min(option => option.PeakBytes), _decode.Min(option => option.PeakBytes));
            return Math.Max(Math.Max(dit, stages), _image.Count == 0 ? 0 : _image.Min(option => option.PeakBytes));
        }
    }

    /// <summary>The fastest of each stage within the budget; null when some stage has nothing that fits.</summary>
    public PlanDraft? Best(long budget)
    {
        if (_text.Fastest(budget) is not { } textOption || _decode.Fastest(budget) is not { } decodeOption)
        {
            return null;
        }

        var imageOption = _image.Fastest(budget);
        if (Context.Request.HasImage && imageOption is null)
        {
            return null;
        }

        return _denoise.Fastest(budget) is { } denoiseOption ? new(textOption, imageOption, denoiseOption, decodeOption) : null;
    }
}
