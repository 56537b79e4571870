using RenderFarm.Contracts.Models;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Transformer;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Bench;

/// <summary>What a precision costs: 14B shapes, latents of 5 × 30 × 52 (1,950 tokens), against float32 on the same weights.</summary>
internal static class QualityPart
{
    private const long Seed = 7;
    private static readonly (int Width, int Height, int Frames) Video = (416, 240, 17);

    public static void Run(BenchReport report)
    {
        var shape = ModelShapes.T2v14B.Transformer;
        using var kernels = new TokenKernels(new KernelCompiler(BenchPaths.Kernels));
        var ops = new FusedTokenOps(kernels);
        using var exact = new GeneratedOnEntry(shape, Seed);
        using var reference = Velocity(shape, exact, new PlainTokenOps(ScalarType.Float32), ScalarType.Float32);
        foreach (var (name, format, limit) in new[] { ("bf16", WeightFormat.BFloat16, 1e-2), ("fp8-weights", WeightFormat.Float8Stored, double.NaN), ("fp8", WeightFormat.Float8, double.NaN) })
        {
            var blocks = new GeneratedBlocks(shape, format, Seed, ops, CUDA);
            using var source = new LaidOutOnEntry(blocks, shape.Layers);
            using var velocity = Velocity(shape, source, ops, ScalarType.BFloat16);
            report.Figure($"velocity error, {name}", Error(velocity, reference), "", double.IsNaN(limit) ? null : limit);
        }
    }

    private static Tensor Velocity(TransformerShape shape, IBlockSource<WanBlock> blocks, ITokenOps ops, ScalarType type)
    {
        using var forward = new DenoiserForward(shape, blocks, ops, Video, Seed, CUDA, keepContext: false, type: type);
        return forward.Run();
    }

    private static double Error(Tensor actual, Tensor expected) => ((actual - expected).norm() / expected.norm()).item<float>();

    /// <summary>A float32 block at a time: all of them would not fit.</summary>
    private sealed class GeneratedOnEntry(TransformerShape shape, long seed) : IBlockSource<WanBlock>, IDisposable
    {
        private GeneratedWeights? _weights;

        public int Count => shape.Layers;

        public WanBlock Enter(int index)
        {
            _weights = new GeneratedWeights(seed, CUDA, $"blocks.{index}.", ScalarType.Float32);
            return new WanBlock(_weights, shape);
        }

        public void Leave(int index) => Dispose();

        public void Dispose() => _weights?.Dispose();
    }

    private sealed class LaidOutOnEntry(GeneratedBlocks blocks, int count) : IBlockSource<WanBlock>, IDisposable
    {
        private Tensor? _memory;
        private LaidOutWeights? _weights;

        public int Count => count;

        public WanBlock Enter(int index)
        {
            _memory = blocks.Memory();
            blocks.Fill(index, _memory);
            _weights = blocks.Weights(_memory);
            return blocks.Over(_weights);
        }

        public void Leave(int index) => Dispose();

        public void Dispose()
        {
            _weights?.Dispose();
            _memory?.Dispose();
        }
    }
}
