using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Planning.Models;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// The causal 3D VAE, 2.1 and 2.2: video [B, 3, 4n+1, H, W] in [−1, 1] ↔ latent [B, C, n+1, H/8, W/8] (2.2: /16).
/// Both ways go chunk by chunk with a cache of features, which is the definition of the model and not an optimisation; the
/// memory it takes does not depend on the number of frames.
/// </summary>
public sealed class WanVae
{
    private readonly VaeShape _shape;
    private readonly ScalarType _type;
    private readonly IReadOnlyList<IVaeLayer> _encoder,
        _decoder;
    private readonly CausalConv3d _conv1,
        _conv2;

    public WanVae(IWeights weights, VaeShape shape)
    {
        if (shape.LatentMean.Count != shape.LatentChannels || shape.LatentStd.Count != shape.LatentChannels)
        {
            throw new ArgumentException(
                $"{shape.LatentMean.Count} means and {shape.LatentStd.Count} deviations for {shape.LatentChannels} latent channels",
                nameof(shape)
            );
        }

        _shape = shape;
        _type = weights.Type;
        _encoder = VaeLayers.Encoder(weights.Scope("encoder"), shape);
        _conv1 = new CausalConv3d(weights.Scope("conv1"), 2 * shape.LatentChannels, 2 * shape.LatentChannels, (1, 1));
        _conv2 = new CausalConv3d(weights.Scope("conv2"), shape.LatentChannels, shape.LatentChannels, (1, 1));
        _decoder = VaeLayers.Decoder(weights.Scope("decoder"), shape);
    }

    /// <summary>
    /// Convolve pictures whose channels are those of the frames that a convolution sees together: the same products, for
    /// libraries whose convolutions over three dimensions are slow. Copies each input as often as it is seen.
    /// </summary>
    public bool FramesAsChannels { get; init; }

    /// <summary>
    /// Go through kernels, on a card and in bf16 or fp16; by plain tensors where not given. Fastest on weights that
    /// <see cref="ChannelsInnermost"/> laid out.
    /// </summary>
    public FrameKernels? Kernels { get; init; }

    /// <summary>Called after each step that went through kernels was put to work, with what it was: for profiles.</summary>
    public Action<string>? Stepped { get; init; }

    /// <summary>What convolutions are computed in.</summary>
    public ScalarType Type => _type;

    private IFrameOps Ops =>
        Kernels is not null && FrameKernels.Takes(_type) ? new FusedFrameOps(Kernels, Stepped) : new PlainFrameOps(FramesAsChannels);

    /// <summary>
    /// The same filter, whose channels lie beside each other in memory and, of one over time, whose frames come next: as a convolution
    /// over pictures takes it. Other tensors as they are.
    /// </summary>
    /// <param name="weight">Taken over.</param>
    public static Tensor ChannelsInnermost(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var laid = weight.dim() switch
        {
            4 => weight.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
            5 => weight.permute(0, 3, 4, 2, 1).contiguous().permute(0, 4, 3, 1, 2),
            _ => weight.alias(),
        };
        weight.Dispose();
        return laid.MoveToOuterDisposeScope();
    }

    /// <summary>The mean of the posterior, normalised as the DiT sees it.</summary>
    /// <param name="video">[B, 3, 4n+1, H, W] in [−1, 1], on the device of the weights.</param>
    /// <returns>Float32 latent [B, C, n+1, h, w]; the caller owns it.</returns>
    public Tensor Encode(Tensor video)
    {
        if (video.dim() != 5)
        {
            throw new ArgumentException($"a video of [{string.Join(", ", video.shape)}]; [B, 3, 4n+1, H, W] is needed", nameof(video));
        }

        return Encode(video.shape[2], (start, count) => video.narrow(2, start, count));
    }

    /// <summary>The same for a video that is made as it is encoded: memory is that of a chunk, however long the video is.</summary>
    /// <param name="frames">4n+1.</param>
    /// <param name="chunk">Start and count of frames → [B, 3, count, H, W] on the device of the weights.</param>
    /// <param name="afterChunk">May throw to end the encoding.</param>
    public Tensor Encode(long frames, Func<long, long, Tensor> chunk, Action? afterChunk = null)
    {
        if (frames % VaeShape.TemporalStride != 1)
        {
            throw new ArgumentException($"{frames} frames; 4n+1 are needed", nameof(frames));
        }

        using var scope = NewDisposeScope();
        using var cache = new FeatureCache(Ops);
        var latents = new List<Tensor>();
        for (long at = 0, count = 1; at < frames; at += count, count = VaeShape.TemporalStride)
        {
            if (at > 0)
            {
                cache.NextChunk();
            }

            using var pixels = chunk(at, count);
            Require(pixels);
            if (at == 0)
            {
                var stride = _shape.SpatialStride;
                Reserve(cache, VaeLayout.Encoder(_shape), pixels.shape[3] / stride, pixels.shape[4] / stride);
            }

            latents.Add(EncodeChunk(pixels, cache));
            afterChunk?.Invoke();
        }
        var latent = cat(latents, 2);
        var (mean, std) = Statistics(latent.device);
        return ((latent - mean) / std).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Frames as they come: one for the first latent frame, four for each that follows, [B, 3, 1 or 4, H, W] in [−1, 1],
    /// float32. The caller owns each and should let go of it before asking for the next.
    /// </summary>
    /// <param name="latent">[B, C, T, h, w] as the DiT made it, on the device of the weights; must live until the last frame.</param>
    public IEnumerable<Tensor> Decode(Tensor latent) =>
        DecodeUnclamped(latent)
            .Select(frames =>
            {
                using (frames)
                {
                    return frames.clamp(-1, 1).DetachFromDisposeScope();
                }
            });

    /// <summary>What <see cref="Decode"/> gives before it is brought into [−1, 1].</summary>
    public IEnumerable<Tensor> DecodeUnclamped(Tensor latent)
    {
        if (latent.dim() != 5 || latent.shape[1] != _shape.LatentChannels)
        {
            throw new ArgumentException(
                $"a latent of [{string.Join(", ", latent.shape)}]; [B, {_shape.LatentChannels}, T, h, w] is needed",
                nameof(latent)
            );
        }

        return Chunks();

        IEnumerable<Tensor> Chunks()
        {
            using var cache = new FeatureCache(Ops);
            Reserve(cache, VaeLayout.Decoder(_shape), latent.shape[3], latent.shape[4]);
            for (long at = 0; at < latent.shape[2]; at++)
            {
                if (at > 0)
                {
                    cache.NextChunk();
                }

                yield return DecodeFrame(latent, at, cache);
            }
        }
    }

    private static void Reserve(FeatureCache cache, IReadOnlyList<VaeLayer> layers, long height, long width) =>
        cache.Reserve(
            VaeLayout.CacheElements(layers, (int)height, (int)width),
            VaeLayout.WindowElements(layers, (int)height, (int)width, FrameKernels.Window)
        );

    private void Require(Tensor pixels)
    {
        var stride = _shape.SpatialStride;
        if (pixels.dim() != 5 || pixels.shape[1] != 3 || pixels.shape[3] % stride != 0 || pixels.shape[4] % stride != 0)
        {
            throw new ArgumentException(
                $"frames of [{string.Join(", ", pixels.shape)}]; [B, 3, F, H, W] with H and W multiples of {stride} is needed",
                nameof(pixels)
            );
        }
    }

    private Tensor EncodeChunk(Tensor video, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        var x = video.to(_type);
        if (_shape.Kind == VaeKind.Wan22)
        {
            x = PixelPatches.Split(x);
        }

        x = _conv1.Apply(_encoder.Run(x, cache), cache);
        // The second half is the log-variance; nothing is sampled
        return x.narrow(1, 0, _shape.LatentChannels).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private Tensor DecodeFrame(Tensor latent, long index, FeatureCache cache)
    {
        using var scope = NewDisposeScope();
        var (mean, std) = Statistics(latent.device);
        var x = (latent.narrow(2, index, 1).to(ScalarType.Float32) * std + mean).to(_type);
        x = _decoder.Run(_conv2.Apply(x, cache), cache);
        if (_shape.Kind == VaeKind.Wan22)
        {
            x = PixelPatches.Join(x);
        }

        return x.to(ScalarType.Float32).DetachFromDisposeScope();
    }

    private (Tensor Mean, Tensor Std) Statistics(Device device) =>
        (Channels(_shape.LatentMean, device), Channels(_shape.LatentStd, device));

    private static Tensor Channels(IReadOnlyList<float> values, Device device) =>
        tensor(values.ToArray(), device: device).view(1, -1, 1, 1, 1);
}
