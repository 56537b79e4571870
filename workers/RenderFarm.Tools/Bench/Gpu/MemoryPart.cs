using RenderFarm.Contracts.Units;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Figures;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>One forward of 14B at 720p × 81 frames with every block streamed.</summary>
internal static class MemoryPart
{
    public static void Run(FigureReport report)
    {
        var shape = ModelShapes.T2v14B.Transformer;
        using var kernels = new TokenKernels(new KernelCompiler(KernelFolder.Path));
        var ops = new FusedTokenOps(kernels);
        var blocks = new GeneratedBlocks(shape, WeightFormat.Float8, seed: 7, ops, CUDA);
        var (seconds, peak, _) = SpeedPart.Streamed(shape, blocks, ops, (1280, 720, 81), repeats: 2, chunk: 16384, expected: null);
        report.Figure("720p, fp8, 40 of 40 streamed", seconds, "s", 10.8);
        report.Figure("720p, pool's used high-water", Gibibytes.Of(peak), "GiB", 7.0);
    }
}
