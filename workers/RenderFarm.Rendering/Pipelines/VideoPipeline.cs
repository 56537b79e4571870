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
/// A prompt, and pictures if there are any, to frames: 1 check, 2 encode the prompts, 3 encode the pictures, 4 denoise,
/// 5 decode one latent frame at a time and write what comes out. Text encoder, image encoder, VAE and DiT are in memory one
/// after the other, never together. What is text, image or first and last frame to video is a matter of the conditions.
/// </summary>
public sealed class VideoPipeline : IDisposable
{
    private const int MostWords = 8,
        MostLetters = 24; // named in a note

    private readonly RenderOrder order;
    private readonly RenderSpec spec;
    private readonly ModelShape shape;
    private readonly IRenderObserver observer;
    private readonly StageMeter meter;
    private readonly CancellationToken cancellation;
    private readonly Components components;
    private readonly List<string> notes = []; // for the user
    private int forwards,
        leftOut; // the latter by a step cache

    /// <param name="parts">Where the weights come from; the files of the order when not given.</param>
    public VideoPipeline(
        RenderOrder order,
        IRenderObserver observer,
        StageMeter meter,
        CancellationToken cancellation,
        IModelParts? parts = null
    )
    {
        (this.order, spec, shape) = (order, order.Spec, order.Shape);
        (this.observer, this.meter, this.cancellation) = (observer, meter, cancellation);
        components = new Components(order, parts ?? new CheckpointParts(order.Files, order.Shape), Breathe);
    }

    /// <exception cref="RenderException">The order can't be rendered, or what came out is no video.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, noticed between two blocks or frames.</exception>
    public RenderResult Render(IFrameSink frames)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Require();
        var prompts = EncodePrompts();
        var pictures = EncodePictures();
        var latent = Denoise(prompts, pictures);
        prompts.Dispose();
        pictures.Dispose();
        if (prompts.DroppedTokens > 0)
            notes.Add(
                $"the prompt is too long: its last {prompts.DroppedTokens} tokens of {prompts.DroppedTokens + shape.Transformer.TextLength - 1} were left out"
            );
        if (prompts.UnknownWords is { Count: > 0 } unknown)
            notes.Add(
                $"{shape.Id} never saw the words {string.Join(", ", unknown.Take(MostWords).Select(word => $"'{Short(word)}'"))}{(unknown.Count > MostWords ? ", …" : "")}: they were left out"
            );
        return Decode(latent, frames);
    }

    private static string Short(string word) =>
        word.EnumerateRunes().Count() is var letters && letters <= MostLetters
            ? word
            : $"{string.Concat(word.EnumerateRunes().Take(MostLetters))}…";

    public void Dispose() => components.Dispose();

    private void Require()
    {
        Stage(RenderStage.Loading);
        components.Require();
        PictureRules.Require(order);
        if (shape.Experts == 2 && shape.Boundary is null && spec.BoundaryStep is null)
            throw new RenderException(
                FailureReason.InvalidRequest,
                $"{shape.Id} has two experts and no boundary between them; give boundary_step"
            );
        if (spec.Frames % VaeShape.TemporalStride != 1)
            throw new RenderException(FailureReason.InvalidRequest, $"frames is {spec.Frames}; 4n+1 is needed");
        var multiple = 2 * shape.Vae.SpatialStride;
        if (spec.Width % multiple != 0 || spec.Height % multiple != 0)
            throw new RenderException(
                FailureReason.InvalidRequest,
                $"the size is {spec.Width}x{spec.Height}; multiples of {multiple} are needed"
            );
        if (!Samplers.Names.Contains(spec.Sampler))
            throw new RenderException(
                FailureReason.InvalidRequest,
                $"sampler '{spec.Sampler}' is unknown; use one of {string.Join(", ", Samplers.Names)}"
            );
    }

    /// <summary>[n, text dim] for the prompt and, where guidance needs it, for the negative prompt.</summary>
    private EncodedPrompts EncodePrompts()
    {
        using var encoder = components.PromptEncoder();
        Stage(RenderStage.EncodingText);
        var prompts = encoder.Encode(spec.Prompt, Experts.NeedUnconditional(order) ? spec.NegativePrompt : null, Breathe);
        Finite(prompts.Conditional, "the text encoder's output");
        return prompts;
    }

    private EncodedPictures EncodePictures()
    {
        if (order.InputFiles.Count == 0)
            return EncodedPictures.None;
        meter.Enter(RenderStage.Loading);
        using var pictures = new PictureEncoder(order);
        var (device, tile) = (components.Device, order.Plan.VaeEncodeTile);
        Tensor? features = null;
        if (shape.Transformer.ImageBranch != ImageBranch.None)
        {
            using var tower = components.ImageEncoder();
            Stage(RenderStage.EncodingImage);
            features = Finite(pictures.Features(tower.Module, device, Breathe), "the image encoder's output");
        }
        components.TrimMemory();
        meter.Enter(RenderStage.Loading);
        using var vae = components.Vae();
        if (features is null)
            Stage(RenderStage.EncodingImage);
        else
            meter.Enter(RenderStage.EncodingImage);
        var latent =
            shape.Pictures == PictureConditioning.Channels
                ? pictures.Channels(vae.Module, device, tile, Breathe)
                : pictures.FirstLatent(vae.Module, device, tile, Breathe);
        Finite(latent, "the VAE's latent of the picture");
        return shape.Pictures == PictureConditioning.Channels
            ? new EncodedPictures { Features = features, Channels = latent }
            : new EncodedPictures { FirstLatent = latent };
    }

    private Tensor Denoise(EncodedPrompts prompts, EncodedPictures pictures)
    {
        using var sampler = Samplers.Create(spec.Sampler, spec.Steps, spec.Shift);
        using var experts = new Experts(components, order, prompts, pictures, sampler.Schedule, meter);
        using var noise = Noise();

        experts.For(step: 0);
        Stage(RenderStage.Denoising);
        var latent = Denoiser.Run(
            experts.For,
            noise,
            sampler,
            pictures.FirstLatent,
            Breathe,
            (step, seconds) =>
            {
                components.TrimMemory(); // or the pool's free ranges grow apart from step to step until none is wide enough
                if (experts.Skipped == leftOut)
                    meter.StepDone(seconds); // plans are for whole steps, and learn from them
                (leftOut, forwards) = (experts.Skipped, forwards + experts.ForwardsAStep);
                observer.StepDone(step, spec.Steps, seconds);
            }
        );
        notes.AddRange(experts.Notes);
        if (spec.StepCache is not null)
            notes.Add($"the step cache left out the blocks of {leftOut} of {forwards} forwards");
        return Finite(latent, "the latent").cpu(); // on the card it would keep the range it lies in from going back
    }

    private RenderResult Decode(Tensor latent, IFrameSink frames)
    {
        components.TrimMemory();
        meter.Enter(RenderStage.Loading);
        using var vae = components.Vae();
        Stage(RenderStage.Decoding);
        using var placed = latent.to(components.Device);
        var writer = new FrameWriter(frames);
        int written = 0;
        int tile = order.Plan.VaeTile;
        var chunks = tile == 0 ? vae.Module.Decode(placed) : new TiledDecoder(vae.Module, shape.Vae, tile).Decode(placed, Breathe);
        foreach (var chunk in chunks)
        {
            using (chunk)
                writer.Write(chunk);
            if (++written <= 2)
                components.TrimMemory(); // these make the feature cache; what was around it goes back
            observer.FramesWritten(writer.Written, spec.Frames);
            cancellation.ThrowIfCancellationRequested();
        }
        if (writer.Conclude() is { } warning)
            notes.Insert(0, warning);
        return new RenderResult(writer.Written, notes.Count == 0 ? null : string.Join("; ", notes)) { ForwardsLeftOut = leftOut };
    }

    /// <summary>[1, C, T, h, w]</summary>
    private Tensor Noise()
    {
        using var noise = InitialNoise.Draw(
            spec.Seed,
            shape.Vae.LatentChannels,
            (spec.Frames - 1) / VaeShape.TemporalStride + 1,
            spec.Height / shape.Vae.SpatialStride,
            spec.Width / shape.Vae.SpatialStride
        );
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
            : throw new RenderException(
                FailureReason.InvalidOutput,
                $"{what} holds NaN or infinite values; try another precision, or check the checkpoint"
            );
    }
}
