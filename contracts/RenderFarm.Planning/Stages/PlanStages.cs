using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning.Stages;

/// <summary>Every way to run every stage of one request on one slot, worked out once and asked for many budgets.</summary>
internal sealed class PlanStages
{
    private readonly List<StageOption<TextEncoderPlacement>> text;
    private readonly List<StageOption<int>> decode;
    private readonly List<StageOption<int>> image;
    private readonly DenoiseStage denoise;

    public PlanStages(PlanContext context)
    {
        var vae = new VaeStage(context);
        text = [.. new TextStage(context).Options()];
        denoise = new DenoiseStage(context);
        decode = [.. vae.DecodeOptions()];
        image = context.Request.HasImage ? [.. vae.ImageOptions()] : [];
        Context = context;
    }

    public PlanContext Context { get; }

    /// <summary>The least that a plan of this request needs; null when pins or host memory leave none.</summary>
    public long? LeastPeakBytes
    {
        get
        {
            if (text.Count == 0 || decode.Count == 0 || denoise.LeastPeakBytes is not { } dit)
                return null;
            var stages = Math.Max(text.Min(option => option.PeakBytes), decode.Min(option => option.PeakBytes));
            return Math.Max(Math.Max(dit, stages), image.Count == 0 ? 0 : image.Min(option => option.PeakBytes));
        }
    }

    /// <summary>The fastest of each stage within the budget; null when some stage has nothing that fits.</summary>
    public PlanDraft? Best(long budget)
    {
        if (text.Fastest(budget) is not { } textOption || decode.Fastest(budget) is not { } decodeOption)
            return null;
        var imageOption = image.Fastest(budget);
        if (Context.Request.HasImage && imageOption is null)
            return null;
        return denoise.Fastest(budget) is { } denoiseOption ? new(textOption, imageOption, denoiseOption, decodeOption) : null;
    }
}
