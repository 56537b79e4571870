using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Conditioning;
using RenderFarm.Rendering.Loading;
using RenderFarm.Rendering.Sampling;
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
        MostLetters = 24; // Named in a note

    private readonly RenderOrder _order;
    private readonly RenderSpec _spec;
    private readonly ModelShape _shape;
    private readonly IRenderObserver _observer;
    private readonly StageMeter _meter;
    private readonly CancellationToken _cancellation;
    private readonly Components _components;
    private readonly List<string> _notes = []; // for the user
    private int _forwards,
        _leftOut; // The latter by a step cache

    /// <param name="parts">Where the weights come from; the files of the order when not given.</param>
    /// <param name="held">Belongs to the caller.</param>
    public VideoPipeline(
        RenderOrder order,
        IRenderObserver observer,
        StageMeter meter,
        CancellationToken cancellationToken,
        IModelParts? parts = null,
        HeldBlocks? held = null
    )
    {
        (_order, _spec, _shape) = (order, order.Spec, order.Shape);
        (_observer, _meter, _cancellation) = (observer, meter, cancellationToken);
        _components = new Components(order, parts ?? new CheckpointParts(order.Files, order.Shape), ReportAlive, held);
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
        {
            _notes.Add(
                $"the prompt is too long: its last {prompts.DroppedTokens} tokens of "
                    + $"{prompts.DroppedTokens + _shape.Transformer.TextLength - 1} were left out"
            );
        }

        if (prompts.UnknownWords is { Count: > 0 } unknown)
        {
            var words = string.Join(", ", unknown.Take(MostWords).Select(word => $"'{Short(word)}'"));
            _notes.Add($"{_shape.Id} never saw the words {words}{(unknown.Count > MostWords ? ", …" : "")}: they were left out");
        }

        return Decode(latent, frames);
    }

    private static string Short(string word) =>
        word.EnumerateRunes().Count() is var letters && letters <= MostLetters
            ? word
            : $"{string.Concat(word.EnumerateRunes().Take(MostLetters))}…";

    public void Dispose() => _components.Dispose();

    private void Require()
    {
        Stage(RenderStage.Loading);
        _components.Require();
        PictureRules.Require(_order);
        if (_shape.Experts == 2 && _shape.Boundary is null && _spec.BoundaryStep is null)
        {
            throw new RenderException(
                FailureReason.InvalidRequest,
                $"{_shape.Id} has two experts and no boundary between them; give boundary_step"
            );
        }

        if (_spec.Frames % VaeShape.TemporalStride != 1)
        {
            throw new RenderException(FailureReason.InvalidRequest, $"frames is {_spec.Frames}; 4n+1 is needed");
        }

        var multiple = 2 * _shape.Vae.SpatialStride;
        if (_spec.Width % multiple != 0 || _spec.Height % multiple != 0)
        {
            throw new RenderException(
                FailureReason.InvalidRequest,
                $"the size is {_spec.Width}x{_spec.Height}; multiples of {multiple} are needed"
            );
        }
    }

    /// <summary>[n, text dim] for the prompt and, where guidance needs it, for the negative prompt.</summary>
    private EncodedPrompts EncodePrompts()
    {
        var negativePrompt = Experts.NeedUnconditional(_order) ? _spec.NegativePrompt : null;
        var seen = _components.Prompts;
        var (prompt, negative) = (seen.Find(_spec.Prompt), negativePrompt is null ? null : seen.Find(negativePrompt));
        if (prompt is not null && (negative is not null || negativePrompt is null))
        {
            Stage(RenderStage.EncodingText);
            return new EncodedPrompts(prompt, negative);
        }

        using var encoder = _components.PromptEncoder();
        Stage(RenderStage.EncodingText);
        return new EncodedPrompts(
            prompt ?? Encode(encoder, _spec.Prompt),
            negative ?? (negativePrompt is null ? null : Encode(encoder, negativePrompt))
        );
    }

    private EncodedPrompt Encode(PromptEncoder encoder, string text)
    {
        var encoded = encoder.Encode(text, ReportAlive);
        Finite(encoded.Context, "the text encoder's output");
        _components.Prompts.Keep(text, encoded);
        return encoded;
    }

    private EncodedPictures EncodePictures()
    {
        if (_order.InputFiles.Count == 0)
        {
            return EncodedPictures.None;
        }

        _meter.Enter(RenderStage.Loading);
        using var pictures = new PictureEncoder(_order);
        Tensor? features = null;
        if (_shape.Transformer.ImageBranch != ImageBranch.None)
        {
            using var tower = _components.ImageEncoder();
            Stage(RenderStage.EncodingImage);
            features = Finite(pictures.Features(tower.Module, _components.Device, ReportAlive), "the image encoder's output");
        }
        var latent = Latent(pictures, wide: false, first: features is null);
        if (_components.HasWiderVae && !IsFinite(latent))
        {
            latent.Dispose();
            latent = Latent(pictures, wide: true, first: false);
        }

        Finite(latent, "the VAE's latent of the picture");
        return _shape.Pictures == PictureConditioning.Channels
            ? new EncodedPictures { Features = features, Channels = latent }
            : new EncodedPictures { FirstLatent = latent };
    }

    /// <param name="wide">See <see cref="Components.Vae"/>.</param>
    /// <param name="first">Nothing was encoded before.</param>
    private Tensor Latent(PictureEncoder pictures, bool wide, bool first)
    {
        _components.TrimMemory();
        _meter.Enter(RenderStage.Loading);
        using var vae = _components.Vae(wide);
        if (first)
        {
            Stage(RenderStage.EncodingImage);
        }
        else
        {
            _meter.Enter(RenderStage.EncodingImage);
        }

        var (device, tile) = (_components.Device, _order.Plan.VaeEncodeTile);
        return _shape.Pictures == PictureConditioning.Channels
            ? pictures.Channels(vae.Module, device, tile, ReportAlive)
            : pictures.FirstLatent(vae.Module, device, tile, ReportAlive);
    }

    private Tensor Denoise(EncodedPrompts prompts, EncodedPictures pictures)
    {
        using var sampler = Samplers.Create(_spec.Sampler, _spec.Steps, _spec.Shift);
        using var experts = new Experts(_components, _order, prompts, pictures, sampler.Schedule, _meter);
        using var noise = Noise();

        experts.For(step: 0);
        Stage(RenderStage.Denoising);
        var latent = Denoiser.Run(
            experts.For,
            noise,
            sampler,
            pictures.FirstLatent,
            ReportAlive,
            (step, seconds) =>
            {
                _components.TrimMemory(); // Or the pool's free ranges grow apart from step to step until none is wide enough
                if (experts.Skipped == _leftOut)
                {
                    _meter.StepDone(seconds); // Plans are for whole steps, and learn from them
                }

                (_leftOut, _forwards) = (experts.Skipped, _forwards + experts.ForwardsAStep);
                _observer.StepDone(step, _spec.Steps, seconds);
            }
        );
        _notes.AddRange(experts.Notes);
        if (_spec.StepCache is not null)
        {
            _notes.Add($"the step cache left out the blocks of {_leftOut} of {_forwards} forwards");
        }

        return Finite(latent, "the latent").cpu(); // On the card it would keep the range it lies in from going back
    }

    private RenderResult Decode(Tensor latent, IFrameSink frames)
    {
        using var writer = new FrameWriter(frames);
        if (!Decode(latent, writer, wide: false))
        {
            if (!_components.HasWiderVae)
            {
                throw NotFinite(writer);
            }

            _notes.Add("the VAE's features were more than sixteen bits of fp16 hold: it decoded in bf16");
            writer.StartOver();
            if (!Decode(latent, writer, wide: true))
            {
                throw NotFinite(writer);
            }
        }

        if (writer.Conclude() is { } warning)
        {
            _notes.Insert(0, warning);
        }

        return new RenderResult(writer.Written, _notes.Count == 0 ? null : string.Join("; ", _notes)) { ForwardsLeftOut = _leftOut };
    }

    /// <param name="wide">See <see cref="Components.Vae"/>.</param>
    /// <returns>False where a pixel was no finite number.</returns>
    private bool Decode(Tensor latent, FrameWriter writer, bool wide)
    {
        _components.TrimMemory();
        _meter.Enter(RenderStage.Loading);
        using var vae = _components.Vae(wide);
        Stage(RenderStage.Decoding);
        using var placed = latent.to(_components.Device);
        return new LatentDecoding(vae.Module, _shape.Vae, _order.Plan.VaeTile, _components.TrimMemory).Run(
            placed,
            writer,
            ReportAlive,
            written: () =>
            {
                _observer.FramesWritten(writer.Written, _spec.Frames);
                _cancellation.ThrowIfCancellationRequested();
            }
        );
    }

    private static RenderException NotFinite(FrameWriter writer) =>
        new(FailureReason.InvalidOutput, $"frame {writer.Written + 1} holds NaN or infinite pixels; try another precision");

    /// <summary>[1, C, T, h, w]</summary>
    private Tensor Noise()
    {
        using var noise = InitialNoise.Draw(
            _spec.Seed,
            _shape.Vae.LatentChannels,
            (_spec.Frames - 1) / VaeShape.TemporalStride + 1,
            _spec.Height / _shape.Vae.SpatialStride,
            _spec.Width / _shape.Vae.SpatialStride
        );
        return noise.unsqueeze(0).to(_components.Device);
    }

    private void Stage(RenderStage stage)
    {
        _cancellation.ThrowIfCancellationRequested();
        _meter.Enter(stage);
        _observer.StageStarted(stage);
    }

    /// <summary>Called from inside every long loop.</summary>
    private void ReportAlive()
    {
        _cancellation.ThrowIfCancellationRequested();
        _observer.Alive();
    }

    private static bool IsFinite(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.isfinite().all().item<bool>();
    }

    private static Tensor Finite(Tensor values, string what)
    {
        return IsFinite(values)
            ? values
            : throw new RenderException(
                FailureReason.InvalidOutput,
                $"{what} holds NaN or infinite values; try another precision, or check the checkpoint"
            );
    }
}
