using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Stages;

namespace RenderFarm.Planning;

/// <summary>One choice per stage, before it is written out as a <see cref="RenderPlan"/>.</summary>
internal sealed record PlanDraft(
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

    public double TotalSeconds(PlanContext context) =>
        StartSeconds + (LoraSeconds * context.Request.Loras) + Text.Seconds + (Image?.Seconds ?? 0) + Denoise.Seconds + Decode.Seconds;

    public RenderPlan ToPlan(PlanContext context, bool fits, IReadOnlyList<string> reasons)
    {
        var peaks = new Dictionary<string, long> { ["encoding_text"] = Text.PeakBytes };
        if (Image is not null)
        {
            peaks["encoding_image"] = Image.PeakBytes;
        }

        peaks["denoising"] = Denoise.PeakBytes;
        peaks["decoding"] = Decode.PeakBytes;
        var dit = Denoise.Choice;
        return new()
        {
            Device = context.OnCpu ? "cpu" : "cuda",
            Precision = dit.Way.Precision,
            Attention = dit.Way.Attention,
            BlocksResident = dit.Resident,
            BlocksStreamed = dit.Streamed,
            RingSlots = dit.RingSlots,
            FfnChunkTokens = dit.Way.FfnChunk,
            TextEncoder = Text.Choice,
            VaeTile = Decode.Choice,
            VaeEncodeTile = Image?.Choice ?? 0,
            GuidanceBatched = dit.Way.Batched,
            LoraBytes = dit.Streamed > 0 ? dit.Way.LoraBytes : 0,
            StepCacheBytes = dit.Way.StepCacheBytes,
            PredictedPeakBytes = PeakBytes,
            UncorrectedPeakBytes = (long)(PeakBytes / context.PeakFactor),
            StagePeakBytes = peaks,
            HostBytes = context.OnCpu ? PeakBytes : dit.Way.HostBytes + new TextStage(context).HostBytes,
            PredictedStepSeconds = dit.StepSeconds,
            UncorrectedStepSeconds = dit.StepSeconds / context.StepTimeFactor,
            PredictedSeconds = TotalSeconds(context),
            Fits = fits,
            Reasons = reasons,
        };
    }

    public string InOneLine(PlanContext context) => PlanReasons.InOneLine(this, context);
}
