using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;

namespace RenderFarm.Wan.Vae;

/// <summary>The layers of encoder and decoder, in the order and by the names of the checkpoints.</summary>
internal static class VaeLayers
{
    public static IReadOnlyList<IVaeLayer> Encoder(IWeights weights, VaeShape shape)
    {
        int[] widths = [shape.Dim, .. shape.DimMultipliers.Select(multiplier => shape.Dim * multiplier)];
        var levels = shape.DimMultipliers.Count;
        var last = widths[^1];
        var layers = new List<IVaeLayer> { new CausalConv3d(weights.Scope("conv1"), PixelChannels(shape), widths[0], (3, 3)) };
        var flat = 0;
        for (var level = 0; level < levels; level++)
        {
            var (from, to, halves) = (widths[level], widths[level + 1], level < levels - 1);
            var temporal = halves && shape.TemporalDownsample[level];
            var names = LevelNames(weights, "downsamples", shape, level);
            var stage = new List<IVaeLayer>();
            for (var n = 0; n < shape.ResidualBlocks; n++)
            {
                stage.Add(new ResidualBlock(names(ref flat), n == 0 ? from : to, to));
            }

            if (halves)
            {
                stage.Add(new Downsample(names(ref flat), to, temporal));
            }

            Add(layers, stage, shape, ResidualStage.Averaging(to, temporal ? 2 : 1, halves ? 2 : 1));
        }
        layers.AddRange(Middle(weights, last));
        layers.Add(new Head(weights.Scope("head"), last, 2 * shape.LatentChannels));
        return layers;
    }

    public static IReadOnlyList<IVaeLayer> Decoder(IWeights weights, VaeShape shape)
    {
        var multipliers = shape.DimMultipliers.Reverse().ToList();
        int[] widths = [shape.DecoderDim * multipliers[0], .. multipliers.Select(multiplier => shape.DecoderDim * multiplier)];
        var levels = multipliers.Count;
        var layers = new List<IVaeLayer> { new CausalConv3d(weights.Scope("conv1"), shape.LatentChannels, widths[0], (3, 3)) };
        layers.AddRange(Middle(weights, widths[0]));
        var flat = 0;
        for (var level = 0; level < levels; level++)
        {
            var (from, to, doubles) = (widths[level], widths[level + 1], level < levels - 1);
            var temporal = doubles && shape.TemporalDownsample[levels - 2 - level];
            // 2.1 halves the width inside the upsampler of the level before
            var halved = shape.Kind == VaeKind.Wan21;
            if (halved && level > 0)
            {
                from /= 2;
            }

            var names = LevelNames(weights, "upsamples", shape, level);
            var stage = new List<IVaeLayer>();
            for (var n = 0; n <= shape.ResidualBlocks; n++)
            {
                stage.Add(new ResidualBlock(names(ref flat), n == 0 ? from : to, to));
            }

            if (doubles)
            {
                stage.Add(new Upsample(names(ref flat), to, halved ? to / 2 : to, temporal));
            }

            Add(layers, stage, shape, doubles ? ResidualStage.Duplicating(temporal ? 2 : 1) : null);
        }
        layers.Add(new Head(weights.Scope("head"), widths[^1], PixelChannels(shape)));
        return layers;
    }

    private static int PixelChannels(VaeShape shape) => shape.Kind == VaeKind.Wan21 ? 3 : 3 * 4;

    private static IReadOnlyList<IVaeLayer> Middle(IWeights weights, int width) =>
        [
            new ResidualBlock(weights.Scope("middle.0"), width, width),
            new FrameAttention(weights.Scope("middle.1"), width),
            new ResidualBlock(weights.Scope("middle.2"), width, width),
        ];

    private static void Add(
        List<IVaeLayer> layers,
        List<IVaeLayer> stage,
        VaeShape shape,
        Func<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor, FeatureCache, TorchSharp.torch.Tensor>? join
    )
    {
        if (shape.Kind == VaeKind.Wan21)
        {
            layers.AddRange(stage);
        }
        else
        {
            layers.Add(new ResidualStage(stage, join));
        }
    }

    private delegate IWeights NextName(ref int flat);

    /// <summary>2.1 numbers its layers through; 2.2 level by level.</summary>
    private static NextName LevelNames(IWeights weights, string group, VaeShape shape, int level)
    {
        if (shape.Kind == VaeKind.Wan21)
        {
            return (ref int flat) => weights.Scope($"{group}.{flat++}");
        }

        var within = 0;
        return (ref int _) => weights.Scope($"{group}.{level}.{group}.{within++}");
    }
}
