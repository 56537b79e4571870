using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>Whether row-wise e4m3 products run here and are right.</summary>
internal static class Float8Check
{
    /// <summary>They are trusted up to this error against the same rounded numbers in float32.</summary>
    private const double Limit = 5e-3;

    /// <summary>Null when they run and are right.</summary>
    public static string? WhyNot(TokenKernels kernels) =>
        ProductTrial.WhyNot(
            (8, 9),
            "row-wise products",
            Limit,
            () =>
            {
                var ops = new FusedTokenOps(kernels);
                var (values, scales) = Float8.QuantizeRows(randn([512, 1024], dtype: ScalarType.BFloat16, device: CUDA) * 0.02);
                using var rows = ops.Rows(randn([1, 300, 1024], dtype: ScalarType.BFloat16, device: CUDA), RowFormat.Float8);
                var product = new Float8Linear(values, scales, null, ops).Apply(rows).to(ScalarType.Float32);
                var exact = nn.functional.linear(
                    rows.Values.to(ScalarType.Float32) * rows.Scales!,
                    EightBits.Dequantize(values, scales, ScalarType.Float32)
                );
                return (product, exact);
            }
        );
}
