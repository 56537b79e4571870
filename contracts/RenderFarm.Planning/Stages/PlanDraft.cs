using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning.Schemes;

namespace RenderFarm.Planning.Stages;

/// <summary>One choice per stage, before it is written out as a <see cref="RenderPlan"/>.</summary>
/// <param name="Context">With the correction of this kind of plan.</param>
internal sealed record PlanDraft(
    PlanContext Context,
    StageOption<TextEncoderPlacement> Text,
    StageOption<int>? Image,
    StageOption<DenoiseChoice> Denoise,
    StageOption<int> Decode
)
{
    /// <summary>From the order to the first operation, with a standby renderer.</summary>
    private const double StartSeconds = 1;

    /// <summary>Merging one adapter into prepared weights.</summary>
    private const double LoraSeconds = 2;

    public long PeakBytes { get; } =
        Math.Max(Math.Max(Text.PeakBytes, Image?.PeakBytes ?? 0), Math.Max(Denoise.PeakBytes, Decode.PeakBytes));

    /// <summary>The stage that sets the peak.</summary>
    public RenderStage Highest =>
        PeakBytes == Denoise.PeakBytes ? RenderStage.Denoising
        : PeakBytes == Decode.PeakBytes ? RenderStage.Decoding
        : PeakBytes == Text.PeakBytes ? RenderStage.EncodingText
        : RenderStage.EncodingImage;

    public double TotalSeconds =>
        StartSeconds + (LoraSeconds * Context.Request.Loras) + Text.Seconds + (Image?.Seconds ?? 0) + Denoise.Seconds + Decode.Seconds;

    /// <summary>What plans are chosen by. A kind that was measured slow must not lose to others for having been measured.</summary>
    public double UncorrectedSeconds => TotalSeconds - Denoise.Seconds + (Denoise.Seconds / Context.StepTimeFactor);

    /// <summary>The fastest, of equals the leaner, stage by stage as each chooses for itself; null when there is none.</summary>
    public static PlanDraft? Fastest(IEnumerable<PlanDraft?> drafts) =>
        drafts
            .OfType<PlanDraft>()
            .MinBy(draft => (draft.UncorrectedSeconds, draft.PeakBytes, draft.Text.PeakBytes, draft.Decode.PeakBytes));

    /// <summary><see cref="RenderPlan.Kind"/> of the plan that these choices make.</summary>
    public static string KindOf(TextEncoderPlacement text, DenoiseChoice denoise, bool tiled) => Bare(text, denoise, tiled ? 1 : 0).Kind;

    public RenderPlan ToPlan(bool fits, IReadOnlyList<string> reasons)
    {
        var context = Context;
        var peaks = new Dictionary<string, long> { [Word.Of(RenderStage.EncodingText)] = Text.PeakBytes };
        if (Image is not null)
        {
            peaks[Word.Of(RenderStage.EncodingImage)] = Image.PeakBytes;
        }

        peaks[Word.Of(RenderStage.Denoising)] = Denoise.PeakBytes;
        peaks[Word.Of(RenderStage.Decoding)] = Decode.PeakBytes;
        var dit = Denoise.Choice;
        return Bare(Text.Choice, dit, Decode.Choice) with
        {
            Device = context.OnCpu ? "cpu" : "cuda",
            VaeEncodeTile = Image?.Choice ?? 0,
            PredictedPeakBytes = PeakBytes,
            UncorrectedPeakBytes = (long)(PeakBytes / context.PeakFactor),
            StagePeakBytes = peaks,
            HostBytes = context.OnCpu ? PeakBytes : dit.Way.HostBytes + new TextStage(context).HostBytes,
            VelocityError = SchemeErrors.Of(dit.Way.Precision, dit.Way.Attention),
            PredictedStepSeconds = dit.StepSeconds,
            UncorrectedStepSeconds = dit.StepSeconds / context.StepTimeFactor,
            PredictedSeconds = TotalSeconds,
            Fits = fits,
            Reasons = reasons,
        };
    }

    /// <summary>The choices, without what they come to.</summary>
    private static RenderPlan Bare(TextEncoderPlacement text, DenoiseChoice denoise, int tile) =>
        new()
        {
            Device = "",
            Precision = denoise.Way.Precision,
            Attention = denoise.Way.Attention,
            BlocksResident = denoise.Resident,
            BlocksStreamed = denoise.Streamed,
            StreamedBytesPerStep = denoise.Streamed * denoise.Way.BlockBytes * denoise.Way.ForwardsPerStep,
            RingSlots = denoise.RingSlots,
            FfnChunkTokens = denoise.Way.FfnChunk,
            TextEncoder = text,
            VaeTile = tile,
            GuidanceBatched = denoise.Way.Batched,
            LoraBytes = denoise.Streamed > 0 ? denoise.Way.LoraBytes : 0,
            StepCacheBytes = denoise.Way.StepCacheBytes,
            PredictedPeakBytes = 0,
            Fits = false,
        };
}
