using System.Globalization;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning.Stages;

namespace RenderFarm.Planning;

/// <summary>Why this plan, in words.</summary>
internal static class PlanReasons
{
    public static IReadOnlyList<string> Of(PlanDraft plan, PlanNeighbours neighbours, int stepDowns)
    {
        var context = plan.Context;
        var (faster, fastest) = (neighbours.Faster, neighbours.Fastest);
        var reasons = new List<string> { Memory(context, plan) };
        if (stepDowns > 0)
        {
            reasons.Add(
                $"{Names.Count(stepDowns, "faster plan")} skipped because {(stepDowns == 1 ? "it" : "they")} ran out of memory before."
            );
        }

        if (!context.OnCpu)
        {
            reasons.Add(HostMemory(context, plan));
        }

        if (fastest is not null && Names.Gib(fastest.PeakBytes) != Names.Gib(plan.PeakBytes))
        {
            var gain = ((plan.TotalSeconds / fastest.TotalSeconds) - 1).ToString("0.0 %", CultureInfo.InvariantCulture);
            reasons.Add($"{Names.Gib(fastest.PeakBytes)} would make it {gain} faster, too little to take them.");
        }

        reasons.Add(Blocks(context, plan));
        reasons.Add(PrecisionChoice(context, plan));
        if (!context.OnCpu && context.Request.Pins.Precision is null)
        {
            reasons.Add(QualityReasons.Of(plan, neighbours));
        }

        if (plan.Denoise.Choice.Way.Attention == AttentionPrecision.EightBit)
        {
            reasons.Add(EightBitAttention(context));
        }

        var dit = plan.Denoise.Choice;
        if (dit.Way.FfnChunk > 0)
        {
            reasons.Add($"Feed-forward layers take {dit.Way.FfnChunk} tokens at a time to keep their hidden values small.");
        }

        if (dit.Way.Batched)
        {
            reasons.Add("Both guidance branches run in one forward: weights travel once a step instead of twice.");
        }

        if (context.Request.Loras > 0)
        {
            reasons.Add(Loras(context, plan));
        }

        if (dit.Way.StepCacheBytes > 0)
        {
            reasons.Add(
                $"The step cache keeps {Names.Gib(dit.Way.StepCacheBytes)} from step to step; steps that it leaves out are not counted on."
            );
        }

        if (!context.OnCpu)
        {
            reasons.Add(Text(context, plan));
        }

        reasons.Add(Decode(plan));
        if (
            faster is not null
            && faster.TotalSeconds < plan.TotalSeconds
            && (Names.Seconds(faster.TotalSeconds), Names.Seconds(plan.TotalSeconds)) is var (quick, slow)
            && quick != slow
        )
        {
            reasons.Add($"With {Names.Gib(faster.PeakBytes)} it would take {quick} instead of {slow}.");
        }

        if (Names.Pinned(context.Request.Pins) is { Length: > 0 } pins)
        {
            reasons.Add($"Pinned by the caller: {pins}.");
        }

        reasons.Add($"Rates are {context.Rates.Origin}.");
        if (context.Correction is { } correction)
        {
            reasons.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Corrected by {Names.Count(correction.Samples, "measured run")}: peak × {correction.PeakFactor:0.00}, step time × "
                        + $"{correction.StepTimeFactor:0.00}."
                )
            );
        }

        return reasons;
    }

    /// <summary><c>fp8, 28 of 40 blocks streamed, VAE in tiles of 48</c>.</summary>
    public static string InOneLine(PlanDraft plan)
    {
        var dit = plan.Denoise.Choice;
        var parts = new List<string>
        {
            dit.Way.Attention == AttentionPrecision.Full
                ? Word.Of(dit.Way.Precision)
                : $"{Word.Of(dit.Way.Precision)}, {Word.Of(dit.Way.Attention)} attention",
            dit.Streamed == 0 ? "all blocks resident" : $"{dit.Streamed} of {dit.Streamed + dit.Resident} blocks streamed",
        };
        if (dit.RingSlots == 1)
        {
            parts.Add("one ring slot");
        }

        if (dit.Way.FfnChunk > 0)
        {
            parts.Add($"feed-forward in chunks of {dit.Way.FfnChunk}");
        }

        if (dit.Way.Batched)
        {
            parts.Add("guidance batched");
        }

        if (plan.Text.Choice != TextEncoderPlacement.Streamed && !plan.Context.OnCpu)
        {
            parts.Add($"text encoder {Word.Of(plan.Text.Choice)}");
        }

        if (plan.Decode.Choice > 0)
        {
            parts.Add($"VAE in tiles of {plan.Decode.Choice}");
        }

        return string.Join(", ", parts);
    }

    private static string Memory(PlanContext context, PlanDraft plan)
    {
        var slot = context.Slot;
        return $"Peak of {Names.Gib(plan.PeakBytes)} within {Names.Gib(slot.BudgetBytes)} ({Names.Gib(slot.FreeBytes)} free, "
            + $"{Names.Gib(slot.ReserveBytes)} kept in reserve); "
            + $"text {Names.Gib(plan.Text.PeakBytes)}, denoising {Names.Gib(plan.Denoise.PeakBytes)}, decoding "
            + $"{Names.Gib(plan.Decode.PeakBytes)}.";
    }

    private static string HostMemory(PlanContext context, PlanDraft plan)
    {
        var (blocks, text) = (plan.Denoise.Choice.Way.HostBytes, new TextStage(context).HostBytes);
        var sum = $"Prepared weights take {Names.Gib(blocks + text)} of host memory, {Names.Gib(text)} of them the text encoder's";
        return context.Slot.HostBytes is not { } there ? sum + "."
            : there >= blocks + text ? $"{sum}; {Names.Gib(there)} are there."
            : $"{sum}; {Names.Gib(there)} are there, so that text encoder and blocks make room for each other and are prepared anew "
                + "for each job.";
    }

    private static string Blocks(PlanContext context, PlanDraft plan)
    {
        var dit = plan.Denoise.Choice;
        var total = dit.Resident + dit.Streamed;
        if (context.OnCpu)
        {
            return $"All {total} blocks in host memory.";
        }

        if (dit.Streamed == 0)
        {
            return $"All {total} blocks stay on the card ({Names.Gib(total * dit.Way.BlockBytes)}).";
        }

        var head =
            $"{dit.Resident} of {total} blocks stay, {dit.Streamed} come through {Names.Count(dit.RingSlots, "ring slot")} of "
            + $"{Names.Gib(dit.Way.BlockBytes)}: ";
        if (dit.RingSlots == 1)
        {
            return head + $"with one slot each copy of {Names.Seconds(dit.Way.BlockCopySeconds)} is waited for.";
        }

        var (compute, copy) = (dit.Way.ForwardSeconds, dit.Way.BlockCopySeconds * dit.Streamed);
        return head
            + (
                copy <= compute
                    ? $"copying takes {Names.Seconds(copy)} a forward and hides behind {Names.Seconds(compute)} of computing."
                    : $"copying takes {Names.Seconds(copy)} a forward, longer than the {Names.Seconds(compute)} of computing."
            );
    }

    private static string PrecisionChoice(PlanContext context, PlanDraft plan)
    {
        var precision = plan.Denoise.Choice.Way.Precision;
        var step = Names.Seconds(plan.Denoise.Choice.StepSeconds);
        if (context.Request.Pins.Precision is not null)
        {
            return $"{Word.Of(precision)} as pinned: {step} a step.";
        }

        if (context.OnCpu)
        {
            return $"fp32, the precision of CPU slots: {step} a step.";
        }

        var fp8 = context.Rates.Fp8Flops is null ? " fp8 products are not used: no calibration ran them correctly on this card." : "";
        return $"{Word.Of(precision)}: {step} a step.{fp8}";
    }

    private static string EightBitAttention(PlanContext context) =>
        $"Tokens attend to each other in eight bits: {context.Rates.EightBitAttentionFlops / 1e12:0} TFLOP/s instead of "
        + $"{context.Rates.AttentionFlops / 1e12:0}. When a block first runs, one of its heads is computed in full as well; "
        + "a block that is off goes on in full.";

    private static string Loras(PlanContext context, PlanDraft plan)
    {
        var (dit, loras) = (plan.Denoise.Choice, Names.Count(context.Request.Loras, "LoRA"));
        if (dit.Streamed == 0 || dit.Way.LoraBytes == 0)
        {
            return $"{loras} merged into the weights.";
        }

        var size = context.Request.LoraParameters is null ? $", taken for rank {Models.ParameterCounts.TypicalLoraRank}" : "";
        return $"{loras} beside the streamed blocks: {Names.Gib(dit.Way.LoraBytes)} on the card{size}.";
    }

    private static string Text(PlanContext context, PlanDraft plan) =>
        plan.Text.Choice switch
        {
            TextEncoderPlacement.Streamed =>
                $"The text encoder's {context.Request.Shape.TextEncoder.Layers} layers stream through two slots, then leave the card.",
            TextEncoderPlacement.Resident => "The text encoder is loaded whole, then leaves the card before denoising.",
            _ => "The text encoder runs on the CPU and takes nothing of the card.",
        };

    private static string Decode(PlanDraft plan) =>
        plan.Decode.Choice == 0
            ? "The VAE decodes whole frames."
            : $"The VAE decodes in tiles of {plan.Decode.Choice} latent cells: whole frames would not fit or were not wanted.";
}
