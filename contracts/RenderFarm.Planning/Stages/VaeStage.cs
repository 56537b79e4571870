using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.Stages;

/// <summary>
/// The VAE, one latent frame at a time with its feature cache, whole or in tiles. The choice is the tile's side in
/// latent cells, 0 for whole frames.
/// </summary>
internal sealed class VaeStage(PlanContext context)
{
    /// <summary>
    /// What a card's pool reserves beyond what is alive, where features are float32 and lie as libtorch has them. Measured before kernels
    /// took the frames; no file of it is kept.
    /// </summary>
    private const double PlainPoolSlack = 1.25;

    /// <summary>
    /// The same where they go through kernels. Fitted to "decode, peak" of h200-vae.json; what tensors hold alone is counted to a
    /// thousandth ("held by tensors at most").
    /// </summary>
    private const double PoolSlack = 1.06;

    private static readonly int[] Tiles = [0, 96, 64, 48, 32, 24, 16];

    /// <summary>By plain tensors 3D convolutions reach this part of the product rate. Assumed.</summary>
    private double PlainEfficiency => context.OnCpu ? 0.5 : 0.2;

    /// <summary>
    /// Of c channels, a convolution and what surrounds it reach c / (c + this) of the product rate. Fitted to "decode" of h200-vae.json, 91
    /// to 102 % of what this predicts.
    /// </summary>
    private const double HalfRateChannels = 140;

    private const string MiddleAttention = "middle attention";

    /// <summary>Frames that a convolution over time sees.</summary>
    private const int Window = 3;

    /// <summary>Fewer channels are filled up to so many.</summary>
    private const int LeastChannels = 16;

    private readonly VaeShape _shape = context.Request.Shape.Vae;

    /// <summary>On a CPU and in float32; sixteen bits on a card go through kernels.</summary>
    private bool Plain => context.OnCpu || ElementBytes == 4;

    private int ElementBytes => context.Request.Pins.Precision is Precision.Fp32 ? 4 : context.ElementBytes;

    public IEnumerable<StageOption<int>> DecodeOptions()
    {
        var layers = VaeLayout.Decoder(_shape);
        var weights = (double)(Plain ? ParameterCounts.VaeDecoder(_shape) : ParameterCounts.Vae(_shape)) * ElementBytes;
        return Candidates().Select(tile => Pass(layers, weights, tile));
    }

    /// <summary>Pictures to latents; the tile is the encoder's own and need not be the decoder's.</summary>
    public IEnumerable<StageOption<int>> ImageOptions() => Candidates().Select(EncodeImage);

    private IEnumerable<int> Candidates() =>
        context.Request.Pins.VaeTile is { } pinned
            ? [pinned]
            : Tiles.Where(tile => tile < Math.Max(context.Geometry.LatentHeight, context.Geometry.LatentWidth));

    /// <summary>The CLIP tower first where the model has one, then the VAE's encoder.</summary>
    private StageOption<int> EncodeImage(int tile)
    {
        var weights = (double)(Plain ? ParameterCounts.VaeEncoder(_shape) : ParameterCounts.Vae(_shape)) * ElementBytes;
        var pass = Pass(VaeLayout.Encoder(_shape), weights, tile);
        if (context.Request.Shape.ImageEncoder is not { } clip)
        {
            return pass;
        }

        var clipBytes = (double)ParameterCounts.ImageEncoder(clip) * ElementBytes;
        var clipSeconds = clipBytes / context.Rates.HostToDeviceBytesPerSecond;
        return new(tile, Math.Max(pass.PeakBytes, context.Peak(clipBytes * 1.05)), pass.Seconds + clipSeconds);
    }

    private StageOption<int> Pass(IReadOnlyList<VaeLayer> layers, double weights, int tile)
    {
        var geometry = context.Geometry;
        var (high, down) = VaeTiling.Split(_shape, geometry.LatentHeight, tile);
        var (wide, across) = VaeTiling.Split(_shape, geometry.LatentWidth, tile);
        var cache = VaeLayout.CacheElements(layers, high, wide);
        var live = layers.Max(layer => Plain ? LiveElements(layer, high, wide) : LiveByKernels(layer, high, wide));
        if (!Plain)
        {
            live += VaeLayout.WindowElements(layers, high, wide, Window);
        }

        var pixels = (double)geometry.Width * geometry.Height * 3 * 8;
        var features = (cache + live) * ElementBytes;
        var peak = context.Peak(
            Plain ? (weights + features + pixels) * (context.OnCpu ? 1 : PlainPoolSlack) : weights + (features * PoolSlack) + pixels
        );
        var seconds = Seconds(layers, high, wide) * down * across * geometry.LatentFrames;
        return new(tile, peak, seconds + (weights / context.Rates.HostToDeviceBytesPerSecond));
    }

    /// <summary>For one latent frame of one tile.</summary>
    private double Seconds(IReadOnlyList<VaeLayer> layers, int height, int width)
    {
        if (Plain)
        {
            var rate = (ElementBytes == 4 ? context.Rates.Fp32Flops : context.Rates.Bf16Flops) * PlainEfficiency;
            return VaeLayout.FlopsPerLatentFrame(layers, height, width) / rate;
        }

        return layers.Sum(layer =>
        {
            var channels = Math.Max(Math.Min(layer.In, layer.Out), LeastChannels);
            var reached = context.Rates.Bf16Flops * channels / (channels + HalfRateChannels);
            return VaeLayout.FlopsPerLatentFrame([layer], height, width) / reached;
        });
    }

    /// <summary>
    /// Values alive at the worst moment of a step by kernels beside the pictures it sees, which have a place of their own: its input, which
    /// is added at the end, and what comes of it, twice where the input goes through a convolution too. Counted.
    /// </summary>
    private static double LiveByKernels(VaeLayer layer, int height, int width)
    {
        var cells = layer.Space * layer.Space * height * width;
        if (layer.Name == MiddleAttention)
        {
            return cells * layer.In * 6;
        }

        return layer.CachedChannels > 0
            ? cells * layer.Time * (layer.In + (layer.Out * (layer.In == layer.Out ? 1 : 2)))
            : cells * layer.Time * ((layer.In / 4.0) + layer.Out);
    }

    /// <summary>Values alive at the worst moment of a step: its input, what norm and cache make of it, output and workspace.</summary>
    private double LiveElements(VaeLayer layer, int height, int width)
    {
        var cells = layer.Space * layer.Space * height * width;
        if (layer.Name == MiddleAttention)
        {
            return (cells * layer.In * 5) + (cells * cells * 3);
        }

        var channels = Math.Max(layer.In, layer.Out);
        // Counted; on a card cuDNN lays input and output out anew for its 3D kernels
        var copies = context.OnCpu ? 5 : 9;
        return layer.CachedChannels > 0
            ? cells * channels * ((copies * layer.Time) + 4)
            : cells * ((layer.In * layer.Time * 2.25) + (layer.Out * layer.Time));
    }
}
