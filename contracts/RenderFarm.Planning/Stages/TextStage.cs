using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.Stages;

/// <summary>
/// The text encoder, gone before denoising. Streamed, its layers pass once through a ring of two for both prompts; its
/// embedding table stays on the host in every placement and only the rows of the prompt travel.
/// </summary>
internal sealed class TextStage(PlanContext context)
{
    /// <summary>Of a prompt that is neither a word nor an essay. Assumed.</summary>
    private const int TypicalPromptTokens = 200;

    /// <summary>What the cores beside a card do in bf16 or float32. Assumed; it only ranks the placements.</summary>
    private const double HostFlops = 300e9;

    public IEnumerable<StageOption<TextEncoderPlacement>> Options()
    {
        var shape = context.Request.Shape.TextEncoder;
        var exact = context.Request.Pins.Precision is Precision.Fp32; // Then nothing is prepared, and what isn't is not streamed
        var layerBytes = (double)ParameterCounts.TextEncoderLayer(shape) * (exact ? 4 : context.ElementBytes);
        var weightBytes = layerBytes * shape.Layers;
        double length = context.Request.Shape.Transformer.TextLength;
        // Counted: "encoding_text" of h100-80gb-predict-again.txt is 1.53 GiB where this says 1.83
        var activations = (length * ((shape.Dim * 24.0) + (shape.FfnDim * 8.0))) + (shape.Heads * length * length * 10);
        var prompts = context.Request.Guided ? 2 : 1;
        var flops = 2.0 * ParameterCounts.TextEncoderLayer(shape) * shape.Layers * TypicalPromptTokens * prompts;
        var rates = context.Rates;
        if (context.OnCpu)
        {
            var tables = (double)shape.Vocabulary * shape.Dim * context.ElementBytes;
            yield return new(TextEncoderPlacement.Cpu, context.Peak(weightBytes + tables + activations), flops / rates.Fp32Flops);
            yield break;
        }
        var copy = weightBytes / rates.HostToDeviceBytesPerSecond;
        var compute = flops / rates.Bf16Flops;
        var pinned = context.Request.Pins.TextEncoder;
        if (!exact && pinned is null or TextEncoderPlacement.Streamed)
        {
            yield return new(TextEncoderPlacement.Streamed, context.Peak((2 * layerBytes) + activations), Math.Max(copy, compute) + 0.05);
        }

        if (pinned is null or TextEncoderPlacement.Resident)
        {
            yield return new(TextEncoderPlacement.Resident, context.Peak(weightBytes + activations), copy + compute + 0.05);
        }

        if (pinned is null or TextEncoderPlacement.Cpu)
        {
            yield return new(TextEncoderPlacement.Cpu, context.Peak(0), flops / HostFlops);
        }
    }

    /// <summary>Prepared weights on the host while the stage runs; the table of tokens stays in the checkpoint's file.</summary>
    public long HostBytes =>
        ParameterCounts.TextEncoderLayer(context.Request.Shape.TextEncoder) * context.Request.Shape.TextEncoder.Layers * 2;
}
