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
    /// What a card's pool reserves beyond what is alive: 1.08 to 1.29 in 34 decodes of 480 × 272 to 1280 × 720, apart by up to 8 % from
    /// run to run of the same. "decoding" of h100-80gb-predict-again.txt, 0.90 to 1.00 of what this predicts.
    /// </summary>
    private const double PoolSlack = 1.25;

    private static readonly int[] Tiles = [0, 96, 64, 48, 32, 24, 16];

    /// <summary>3D convolutions reach this part of the product rate. Assumed.</summary>
    private double ConvolutionEfficiency => context.OnCpu ? 0.5 : 0.2;

    private readonly VaeShape _shape = context.Request.Shape.Vae;

    private int ElementBytes => context.Request.Pins.Precision is Precision.Fp32 ? 4 : context.ElementBytes;

    public IEnumerable<StageOption<int>> DecodeOptions()
    {
        var layers = VaeLayout.Decoder(_shape);
        var weights = (double)ParameterCounts.VaeDecoder(_shape) * ElementBytes;
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
        var pass = Pass(VaeLayout.Encoder(_shape), (double)ParameterCounts.VaeEncoder(_shape) * ElementBytes, tile);
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
        var live = layers.Max(layer => LiveElements(layer, high, wide));
        var pixels = (double)geometry.Width * geometry.Height * 3 * 8;
        var peak = context.Peak((weights + ((cache + live) * ElementBytes) + pixels) * (context.OnCpu ? 1 : PoolSlack));

        var flops = VaeLayout.FlopsPerLatentFrame(layers, high, wide) * down * across * geometry.LatentFrames;
        var rate = (ElementBytes == 4 ? context.Rates.Fp32Flops : context.Rates.Bf16Flops) * ConvolutionEfficiency;
        return new(tile, peak, (flops / rate) + (weights / context.Rates.HostToDeviceBytesPerSecond));
    }

    /// <summary>Values alive at the worst moment of a step: its input, what norm and cache make of it, output and workspace.</summary>
    private double LiveElements(VaeLayer layer, int height, int width)
    {
        var cells = layer.Space * layer.Space * height * width;
        if (layer.Name == "middle attention")
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
