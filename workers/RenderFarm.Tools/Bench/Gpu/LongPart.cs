using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.TokenAttention;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Figures;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>
/// The longest video at 720p, several of whose tensors have more than 2³¹ values: one block of 14B by kernels against plain tensors in
/// bf16, over the whole velocity and over its end, which lies behind that border.
/// </summary>
internal static class LongPart
{
    private const long Seed = 7;
    private const double FarthestFloat8 = 0.1;
    private const double FarthestBFloat16 = 0.02;
    private static readonly (int Width, int Height, int Frames) Video = (1280, 720, 257);

    public static void Run(FigureReport report)
    {
        var shape = ModelShapes.T2v14B.Transformer with { Layers = 1 };
        using var kernels = new TokenKernels(new KernelCompiler(KernelFolder.Path));
        var ops = new FusedTokenOps(kernels);
        var values = SpeedPart.Tokens(Video) * 3 * shape.Dim;
        report.Check("q, k and v side by side are more than 2^31 values", values > int.MaxValue, $"{values}");

        var inputs = new RandomInputs(Video, Seed);
        Tensor exact;
        using (var weights = new GeneratedWeights(Seed, CUDA, type: ScalarType.BFloat16))
        {
            var block = new WanBlock(weights.Scope("blocks.0"), shape);
            using var plain = new DenoiserForward(
                shape,
                new ResidentBlocks<WanBlock>([block]),
                new PlainTokenOps(ScalarType.BFloat16),
                inputs,
                keepContext: true,
                chunk: 16384
            );
            exact = plain.Run();
        }

        using (exact)
        {
            foreach (
                var (format, limit) in new[] { (WeightFormat.BFloat16, FarthestBFloat16), (WeightFormat.Float8, FarthestFloat8) }
            )
            {
                var blocks = new GeneratedBlocks(shape, format, Seed, ops, CUDA);
                using var memory = blocks.Memory();
                blocks.Fill(0, memory);
                using var laidOut = blocks.Weights(memory);
                var resident = new ResidentBlocks<WanBlock>([blocks.Over(laidOut)]);
                Compare("attention in full", null, long.MaxValue);
                Compare("attention in full, feed-forward in chunks", null, 16384);
                if (FusedEightBitAttention.WhyNot(shape.HeadDim) is null)
                {
                    var eightBit = new FusedEightBitAttention(kernels.Attention);
                    Compare("attention in eight bits", eightBit, long.MaxValue);
                    if (eightBit.IsForHopper)
                    {
                        Compare(
                            "attention in eight bits, as on other cards",
                            new FusedEightBitAttention(kernels.Attention, onHopper: false),
                            long.MaxValue
                        );
                    }
                }

                void Compare(string name, IAttention? attention, long chunk)
                {
                    using var forward = new DenoiserForward(
                        shape,
                        resident,
                        ops,
                        inputs,
                        keepContext: true,
                        chunk: chunk,
                        attention: attention
                    );
                    using var velocity = forward.Run();
                    var bound = attention is null ? limit : Math.Max(limit, CheckedAttention.DefaultLimit);
                    report.Figure($"{format}, {name}, velocity from plain bf16", Error(velocity, exact), "", bound);
                    var end = exact.shape[2] / 4;
                    using var last = velocity.narrow(2, exact.shape[2] - end, end);
                    using var expected = exact.narrow(2, exact.shape[2] - end, end);
                    report.Figure($"{format}, {name}, its last quarter", Error(last, expected), "", bound);
                }
            }
        }
    }

    private static double Error(Tensor velocity, Tensor exact)
    {
        using var scope = NewDisposeScope();
        return ((velocity - exact).norm() / exact.norm()).item<float>();
    }
}
