using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Stages;

namespace RenderFarm.Planning;

/// <summary>Pins that no amount of memory could honour: each is refused by name, with what would be accepted.</summary>
internal static class PlanPinRules
{
    public static PlanRefusal? Check(PlanContext context)
    {
        var (request, pins) = (context.Request, context.Request.Pins);
        var layers = request.Shape.Transformer.Layers;
        var smallest = VaeTiling.SmallestTile(request.Shape.Vae);
        if (pins.BlocksStreamed is { } streamed && (streamed < 0 || streamed > layers))
        {
            return Refuse("blocks_streamed", $"{request.Shape.Id} has {layers} blocks: give 0 to {layers}, not {streamed}.");
        }

        if (pins.FfnChunkTokens is { } chunk && (chunk < 0 || chunk is > 0 and < 256))
        {
            return Refuse("ffn_chunk_tokens", $"give 0 (all tokens at once) or at least 256, not {chunk}.");
        }

        if (pins.VaeTile is { } tile && tile != 0 && tile < smallest)
        {
            return Refuse("vae_tile", $"give 0 (untiled) or at least {smallest} latent cells, not {tile}.");
        }

        if (pins.GuidanceBatched == true && !request.Guided)
        {
            return Refuse("guidance_batched", $"a guidance scale of {request.GuidanceScale} runs one branch only: leave the pin out.");
        }

        if (pins.GuidanceBatched == true && request.HasImage)
        {
            return Refuse("guidance_batched", "a video from pictures runs its two branches one after the other: leave the pin out.");
        }

        if (pins.GuidanceBatched == true && request.StepCache)
        {
            return Refuse("guidance_batched", "a step cache decides for each branch apart: leave the pin out.");
        }

        return context.OnCpu ? CheckCpu(pins) : CheckCard(pins, context);
    }

    private static PlanRefusal? CheckCpu(PlanPins pins)
    {
        if (pins.Precision is { } precision and not Precision.Fp32)
        {
            return Refuse("precision", $"a CPU slot renders in fp32, not {Word.Of(precision)}.");
        }

        if (pins.Attention is AttentionPrecision.EightBit)
        {
            return Refuse("attention", "a CPU slot attends in full: leave the pin out or give full.");
        }

        if (pins.BlocksStreamed is > 0)
        {
            return Refuse("blocks_streamed", "a CPU slot streams nothing: leave the pin out or give 0.");
        }

        if (pins.TextEncoder is { } placement and not TextEncoderPlacement.Cpu)
        {
            return Refuse("text_encoder", $"a CPU slot runs the text encoder on the cpu, not {Word.Of(placement)}.");
        }

        return null;
    }

    private static PlanRefusal? CheckCard(PlanPins pins, PlanContext context)
    {
        if (pins.Precision is { } precision && !EnginePrecisions.OnCards.Contains(precision))
        {
            return Refuse(
                "precision",
                $"the renderer of this release has no {Word.Of(precision)}: give "
                    + $"{string.Join(", ", EnginePrecisions.OnCards.Select(Word.Of))}."
            );
        }

        if (pins.Precision is Precision.Fp8 or Precision.Int8 && context.Rates.ProductFlops(pins.Precision.Value) is null)
        {
            return Refuse(
                "precision",
                $"{Word.Of(pins.Precision.Value)} products are used only on a card whose calibration ran them correctly; fp8-weights runs "
                    + "on every card."
            );
        }

        if (pins.Attention is AttentionPrecision.EightBit && CheckEightBitAttention(pins, context) is { } why)
        {
            return Refuse("attention", why);
        }

        if (pins.Precision is not Precision.Fp32)
        {
            return null;
        }

        if (pins.BlocksStreamed is > 0)
        {
            return Refuse("blocks_streamed", "float32 blocks are not streamed: give 0, or pin a precision of sixteen or eight bits.");
        }

        return pins.TextEncoder is TextEncoderPlacement.Streamed
            ? Refuse("text_encoder", "a text encoder in float32 is not streamed: give resident or cpu.")
            : null;
    }

    private static string? CheckEightBitAttention(PlanPins pins, PlanContext context)
    {
        var transformer = context.Request.Shape.Transformer;
        return transformer.HeadDim != DenoiseWay.EightBitHeadDim
                ? $"{context.Request.Shape.Id} has heads of {transformer.HeadDim} channels, and eight-bit attention takes "
                    + $"{DenoiseWay.EightBitHeadDim}: leave the pin out or give full."
            : context.Rates.EightBitAttentionFlops is null
                ? "eight-bit attention is used only on a card whose calibration ran it correctly; full runs on every card."
            : pins.Precision is Precision.Fp32 ? "float32 products are attended in full: leave the pin out or give full."
            : null;
    }

    private static PlanRefusal Refuse(string pin, string why) => new($"plan.{pin}: {why}", Field: $"plan.{pin}");
}
