using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Conditioning;
using RenderFarm.Rendering.Loading;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Wan.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// A prompt to frames: 1 check, 2 encode the prompts, 3 denoise, 4 decode one latent frame at a time and write what comes
/// out. Text encoder, DiT and VAE are in memory one after the other, never together.
/// </summary>
public sealed class TextToVideo : IDisposable
{
    private readonly RenderOrder order;
    private readonly RenderSpec spec;
    private readonly ModelShape shape;
    private readonly IRenderObserver observer;
    private readonly StageMeter meter;
    private readonly CancellationToken cancellation;
    private readonly Components components;

    /// <param name="parts">Where the weights come from; the files of the order when not given.</param>
    public TextToVideo(RenderOrder order, IRenderObserver observer, StageMeter meter, CancellationToken cancellation, IModelParts? parts = null)
    {
        (this.order, spec, shape) = (order, order.Spec, order.Shape);
        (this.observer, this.meter, this.cancellation) = (observer, meter, cancellation);
        components = new Components(order, parts ?? new CheckpointParts(order.Files, order.Shape.Id), Breathe);
    }

    /// <exception cref="RenderException">The order can't be rendered, or what came out is no video.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, noticed between two blocks or frames.</exception>
    public RenderResult Render(IFrameSink frames)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Require();
        var prompts = EncodePrompts();
        var latent = Denoise(prompts);
        prompts.Dispose();
        var warning = prompts.DroppedTokens == 0 ? null
            : $"the prompt is too long: its last {prompts.DroppedTokens} tokens of {prompts.DroppedTokens + shape.Transformer.TextLength - 1} were left out";
        return Decode(latent, warning, frames);
    }

    public void Dispose() => components.Dispose();

    private void Require()
    {
        Stage(RenderStage.Loading);
        components.Require();
        if (shape.Experts != 1 || shape.Transformer.InChannels != shape.Vae.LatentChannels)
            throw new RenderException(FailureReason.InvalidRequest, $"{shape.Id} is no text-to-video model with one DiT");
        if (spec.Frames % VaeShape.TemporalStride != 1)
            throw new RenderException(FailureReason.InvalidRequest, $"frames is {spec.Frames}; 4n+1 is needed");
        var multiple = 2 * shape.Vae.SpatialStride;
        if (spec.Width % multiple != 0 || spec.Height % multiple != 0)
            throw new RenderException(FailureReason.InvalidRequest, $"the size is {spec.Width}x{spec.Height}; multiples of {multiple} are needed");
        if (!Samplers.Names.Contains(spec.Sampler))
            throw new RenderException(FailureReason.InvalidRequest, $"sampler '{spec.Sampler}' is unknown; use one of {string.Join(", ", Samplers.Names)}");
    }

    /// <summary>[n, text dim] for the prompt and, where guidance needs it, for the negative prompt.</summary>
    private EncodedPrompts EncodePrompts()
    {
        using var encoder = components.PromptEncoder();
        Stage(RenderStage.EncodingText);
        var prompts = encoder.Encode(spec.Prompt, Guidance.NeedsUnconditional(spec.GuidanceScale) ? spec.NegativePrompt : null, Breathe);
        Finite(prompts.Conditional, "the text encoder's output");
        return prompts;
    }

    private Tensor Denoise(EncodedPrompts prompts)
    {
        components.TrimMemory();
        meter.Enter(RenderStage.Loading);
        using var transformer = components.Transformer();
        var model = transformer.Module;
        // a thousandth of a step on a card, where they would take 800 MiB of 14B
        bool keeps = components.Device.type == DeviceType.CPU;
        using var conditional = model.Embed([prompts.Conditional], keepKeyValues: keeps);
        using var unconditional = prompts.Unconditional is { } negative ? model.Embed([negative], keepKeyValues: keeps) : null;
        using var sampler = Samplers.Create(spec.Sampler, spec.Steps, spec.Shift);
        using var noise = Noise();

        Stage(RenderStage.Denoising);
        var input = new DenoiseInput(model, conditional, unconditional, spec.GuidanceScale)
        {
            FeedForwardTokens = order.Plan.FfnChunkTokens > 0 ? order.Plan.FfnChunkTokens : long.MaxValue,
        };
        var latent = Denoiser.Run(input, noise, sampler, Breathe, (step, seconds) =>
        {
            components.TrimMemory(); // or the pool's free ranges grow apart from step to step until none is wide enough
            meter.StepDone(seconds);
            observer.StepDone(step, spec.Steps, seconds);
        });
        return Finite(latent, "the latent");
    }

    private RenderResult Decode(Tensor latent, string? warning, IFrameSink frames)
    {
        components.TrimMemory();
        meter.Enter(RenderStage.Loading);
        using var vae = components.Vae();
        Stage(RenderStage.Decoding);
        var writer = new FrameWriter(frames);
        int tile = order.Plan.VaeTile;
        var chunks = tile == 0
            ? vae.Module.Decode(latent)
            : new TiledDecoder(vae.Module, shape.Vae, tile).Decode(latent, Breathe);
        foreach (var chunk in chunks)
        {
            using (chunk) writer.Write(chunk);
            observer.FramesWritten(writer.Written, spec.Frames);
            cancellation.ThrowIfCancellationRequested();
        }
        return new RenderResult(writer.Written, writer.Warning ?? warning);
    }

    /// <summary>[1, C, T, h, w]</summary>
    private Tensor Noise()
    {
        using var noise = InitialNoise.Draw(spec.Seed, shape.Vae.LatentChannels,
            (spec.Frames - 1) / VaeShape.TemporalStride + 1, spec.Height / shape.Vae.SpatialStride, spec.Width / shape.Vae.SpatialStride);
        return noise.unsqueeze(0).to(components.Device);
    }

    private void Stage(RenderStage stage)
    {
        cancellation.ThrowIfCancellationRequested();
        meter.Enter(stage);
        observer.StageStarted(stage);
    }

    /// <summary>Called from inside every long loop.</summary>
    private void Breathe()
    {
        cancellation.ThrowIfCancellationRequested();
        observer.Alive();
    }

    private static Tensor Finite(Tensor values, string what)
    {
        using var scope = NewDisposeScope();
        return values.isfinite().all().item<bool>()
            ? values
            : throw new RenderException(FailureReason.InvalidOutput, $"{what} holds NaN or infinite values; try another precision, or check the checkpoint");
    }
}
