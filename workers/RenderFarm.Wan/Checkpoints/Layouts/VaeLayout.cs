using RenderFarm.Contracts.Models;

namespace RenderFarm.Wan.Checkpoints.Layouts;

/// <summary>
/// Keys and shapes of the causal VAEs in the original layout. 2.1 numbers its stages flat
/// (<c>encoder.downsamples.5</c>), 2.2 by level (<c>encoder.downsamples.1.downsamples.2</c>).
/// </summary>
public static class VaeLayout
{
    public static IReadOnlyList<ExpectedTensor> Of(VaeShape shape)
    {
        var list = new TensorList();
        var patched = shape.Kind == VaeKind.Wan21 ? 3 : 12; // 2.2 folds 2 × 2 pixels into channels
        var z = shape.LatentChannels;
        Encoder(list, shape, patched);
        list.Conv("conv1", 2L * z, 2L * z, 1, 1, 1).Conv("conv2", z, z, 1, 1, 1);
        Decoder(list, shape, patched);
        return list.Tensors;
    }

    private static void Encoder(TensorList list, VaeShape shape, int channels)
    {
        var widths = (long[])[shape.Dim, .. shape.DimMultipliers.Select(m => (long)m * shape.Dim)];
        list.Conv("encoder.conv1", widths[0], channels, 3, 3, 3);
        var stages = new StageNames("encoder.downsamples", "downsamples", shape.Kind);
        for (var level = 0; level < shape.DimMultipliers.Count; level++)
        {
            var width = widths[level + 1];
            Residuals(list, stages, widths[level], width, shape.ResidualBlocks);
            if (level == shape.DimMultipliers.Count - 1) break;
            var down = stages.Next();
            list.Conv($"{down}.resample.1", width, width, 3, 3);
            if (shape.TemporalDownsample[level]) list.Conv($"{down}.time_conv", width, width, 3, 1, 1);
            stages.NextLevel();
        }
        Middle(list, "encoder.middle", widths[^1]);
        list.Add("encoder.head.0.gamma", widths[^1], 1, 1, 1).Conv("encoder.head.2", 2L * shape.LatentChannels, widths[^1], 3, 3, 3);
    }

    private static void Decoder(TensorList list, VaeShape shape, int channels)
    {
        var widths = (long[])[.. shape.DimMultipliers.Append(shape.DimMultipliers[^1]).Select(m => (long)m * shape.DecoderDim)];
        Array.Reverse(widths);
        list.Conv("decoder.conv1", widths[0], shape.LatentChannels, 3, 3, 3);
        Middle(list, "decoder.middle", widths[0]);
        var stages = new StageNames("decoder.upsamples", "upsamples", shape.Kind);
        for (var level = 0; level < shape.DimMultipliers.Count; level++)
        {
            var width = widths[level + 1];
            // the upsampler of 2.1 halves its channels, so the level after it starts from half
            var from = shape.Kind == VaeKind.Wan21 && level > 0 ? widths[level] / 2 : widths[level];
            Residuals(list, stages, from, width, shape.ResidualBlocks + 1);
            if (level == shape.DimMultipliers.Count - 1) break;
            var up = stages.Next();
            list.Conv($"{up}.resample.1", shape.Kind == VaeKind.Wan21 ? width / 2 : width, width, 3, 3);
            if (shape.TemporalDownsample[^(level + 1)]) list.Conv($"{up}.time_conv", 2 * width, width, 3, 1, 1);
            stages.NextLevel();
        }
        list.Add("decoder.head.0.gamma", widths[^1], 1, 1, 1).Conv("decoder.head.2", channels, widths[^1], 3, 3, 3);
    }

    private static void Residuals(TensorList list, StageNames stages, long from, long to, int count)
    {
        for (var i = 0; i < count; i++, from = to) Residual(list, stages.Next(), from, to);
    }

    private static void Residual(TensorList list, string name, long from, long to)
    {
        list.Add($"{name}.residual.0.gamma", from, 1, 1, 1).Conv($"{name}.residual.2", to, from, 3, 3, 3)
            .Add($"{name}.residual.3.gamma", to, 1, 1, 1).Conv($"{name}.residual.6", to, to, 3, 3, 3);
        if (from != to) list.Conv($"{name}.shortcut", to, from, 1, 1, 1);
    }

    private static void Middle(TensorList list, string name, long width)
    {
        Residual(list, $"{name}.0", width, width);
        list.Add($"{name}.1.norm.gamma", width, 1, 1)
            .Conv($"{name}.1.to_qkv", 3 * width, width, 1, 1).Conv($"{name}.1.proj", width, width, 1, 1);
        Residual(list, $"{name}.2", width, width);
    }

    private sealed class StageNames(string root, string inner, VaeKind kind)
    {
        private int level, index;

        public string Next() => kind == VaeKind.Wan21 ? $"{root}.{index++}" : $"{root}.{level}.{inner}.{index++}";

        public void NextLevel()
        {
            level++;
            if (kind == VaeKind.Wan22) index = 0;
        }
    }
}
