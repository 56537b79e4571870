using RenderFarm.Contracts.Models;

namespace RenderFarm.Planning.Models;

/// <summary>One step of a VAE as memory and time see it.</summary>
/// <param name="In">Channels that come in.</param>
/// <param name="Out">Channels that go out.</param>
/// <param name="Parameters">Of the whole step, norms and shortcut included.</param>
/// <param name="FlopsPerCell">Multiply and add count as two; a cell is one position of the step's output in time and space.</param>
/// <param name="Space">Side of the output in units of the latent's side: 1 at the latent, 8 at the pixels of VAE 2.1.</param>
/// <param name="Time">Frames the output has for one latent frame, once the first chunk is past.</param>
/// <param name="CachedChannels">Channels of the two-frame cache kept for the step, summed over its convolutions.</param>
/// <param name="CacheSpace">Side of the cached frames, in units of the latent's side.</param>
public sealed record VaeLayer(
    string Name,
    int In,
    int Out,
    long Parameters,
    double FlopsPerCell,
    double Space,
    double Time,
    int CachedChannels,
    double CacheSpace
);

/// <summary>The steps of a VAE's encoder and decoder in the order they run, derived from its widths.</summary>
public static class VaeLayout
{
    /// <summary>Latent to pixels (of VAE 2.2: to 2 × 2 patches of pixels).</summary>
    public static IReadOnlyList<VaeLayer> Decoder(VaeShape shape)
    {
        var layers = new List<VaeLayer>();
        var levels = shape.DimMultipliers.Count;
        var width = shape.DecoderDim * shape.DimMultipliers[levels - 1];
        double space = 1;
        double time = 1;
        layers.Add(Conv("conv1", shape.LatentChannels, width, space, time));
        AddMiddle(layers, width, space, time);
        for (var level = 0; level < levels; level++)
        {
            var next = shape.DecoderDim * shape.DimMultipliers[levels - 1 - level];
            for (var i = 0; i <= shape.ResidualBlocks; i++)
            {
                layers.Add(Residual($"level {level}, block {i}", width, next, space, time));
                width = next;
            }
            if (level == levels - 1)
            {
                continue;
            }
            // Time is doubled before space, by a convolution from C to 2C channels
            if (shape.TemporalDownsample[levels - 2 - level])
            {
                time *= 2;
                layers.Add(
                    new(
                        $"level {level}, time",
                        width,
                        width,
                        (6L * width * width) + (2L * width),
                        6.0 * width * width,
                        space,
                        time,
                        width,
                        space
                    )
                );
            }
            // VAE 2.1 halves the channels here; 2.2 leaves that to the next level's first block
            var narrowed = shape.Kind == VaeKind.Wan21 ? width / 2 : width;
            space *= 2;
            layers.Add(
                new(
                    $"level {level}, up",
                    width,
                    narrowed,
                    (9L * width * narrowed) + narrowed,
                    18.0 * width * narrowed,
                    space,
                    time,
                    0,
                    space
                )
            );
            width = narrowed;
        }
        layers.Add(Conv("head", width, PixelChannels(shape), space, time, norm: true));
        return layers;
    }

    /// <summary>Pixels to mean and log-variance.</summary>
    public static IReadOnlyList<VaeLayer> Encoder(VaeShape shape)
    {
        var layers = new List<VaeLayer>();
        var levels = shape.DimMultipliers.Count;
        var space = Math.Pow(2, levels - 1);
        var time = Math.Pow(2, shape.TemporalDownsample.Count(halved => halved));
        var width = shape.Dim;
        layers.Add(Conv("conv1", PixelChannels(shape), width, space, time));
        for (var level = 0; level < levels; level++)
        {
            var next = shape.Dim * shape.DimMultipliers[level];
            for (var i = 0; i < shape.ResidualBlocks; i++)
            {
                layers.Add(Residual($"level {level}, block {i}", width, next, space, time));
                width = next;
            }
            if (level == levels - 1)
            {
                continue;
            }

            space /= 2;
            layers.Add(
                new($"level {level}, down", width, width, (9L * width * width) + width, 18.0 * width * width, space, time, 0, space)
            );
            if (!shape.TemporalDownsample[level])
            {
                continue;
            }

            time /= 2;
            layers.Add(
                new($"level {level}, time", width, width, (3L * width * width) + width, 6.0 * width * width, space, time, width, space)
            );
        }
        AddMiddle(layers, width, space, time);
        layers.Add(Conv("head", width, 2 * shape.LatentChannels, space, time, norm: true));
        return layers;
    }

    /// <summary>
    /// Values in the feature cache of a pass over frames whose latent is <paramref name="height"/> × <paramref name="width"/>.
    /// </summary>
    public static double CacheElements(IEnumerable<VaeLayer> layers, int height, int width) =>
        layers.Sum(layer => 2.0 * layer.CachedChannels * layer.CacheSpace * layer.CacheSpace) * height * width;

    /// <summary>
    /// Values of the largest picture that a convolution of such a pass sees: the frames of its window side by side, or its input with both
    /// sides doubled.
    /// </summary>
    /// <param name="window">Frames that a convolution over time sees.</param>
    public static double WindowElements(IEnumerable<VaeLayer> layers, int height, int width, int window) =>
        layers.Max(layer =>
            layer.Space * layer.Space * layer.Time * (layer.CachedChannels > 0 ? window * Math.Max(layer.In, layer.Out) : layer.In)
        )
        * height
        * width;

    /// <summary>Operations for one latent frame of <paramref name="height"/> × <paramref name="width"/>.</summary>
    public static double FlopsPerLatentFrame(IEnumerable<VaeLayer> layers, int height, int width) =>
        layers.Sum(layer => layer.FlopsPerCell * layer.Space * layer.Space * layer.Time) * height * width;

    private static int PixelChannels(VaeShape shape) => shape.Kind == VaeKind.Wan21 ? 3 : 12;

    private static void AddMiddle(List<VaeLayer> layers, int width, double space, double time)
    {
        layers.Add(Residual("middle 0", width, width, space, time));
        layers.Add(new("middle attention", width, width, (4L * width * width) + (5L * width), 8.0 * width * width, space, time, 0, space));
        layers.Add(Residual("middle 2", width, width, space, time));
    }

    private static VaeLayer Conv(string name, int from, int to, double space, double time, bool norm = false) =>
        new(name, from, to, (27L * from * to) + to + (norm ? from : 0), 54.0 * from * to, space, time, from, space);

    private static VaeLayer Residual(string name, int from, int to, double space, double time)
    {
        var shortcut = from == to ? 0 : ((long)from * to) + to;
        var parameters = from + (27L * from * to) + to + to + (27L * to * to) + to + shortcut;
        var flops = (54.0 * from * to) + (54.0 * to * to) + (from == to ? 0 : 2.0 * from * to);
        return new(name, from, to, parameters, flops, space, time, from + to, space);
    }
}
