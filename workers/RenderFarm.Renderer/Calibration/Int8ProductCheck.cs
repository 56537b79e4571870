using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>Whether int8 products run on this card and are right, by the plain tensors that define them.</summary>
internal static class Int8ProductCheck
{
    /// <summary>Sums are exact on both sides; what is left is the rounding of the result to bf16.</summary>
    private const double MostError = 1e-3;

    /// <summary>Null when they are.</summary>
    public static string? WhyNot(TokenKernels kernels) =>
        ProductTrial.WhyNot(
            (7, 5),
            "products",
            MostError,
            () =>
            {
                var ops = new FusedTokenOps(kernels);
                var (weight, scales) = Int8.QuantizeRows(randn([512, 1024], dtype: ScalarType.BFloat16, device: CUDA) * 0.02);
                using var rows = ops.Rows(randn([1, 300, 1024], dtype: ScalarType.BFloat16, device: CUDA), RowFormat.Int8);
                var product = new Int8Linear(weight, scales, null, new FusedInt8Products(ops)).Apply(rows).to(ScalarType.Float32);
                var exact = new Int8Linear(weight, scales, null, new PlainInt8Products()).Apply(rows).to(ScalarType.Float32);
                return (product, exact);
            }
        );
}
