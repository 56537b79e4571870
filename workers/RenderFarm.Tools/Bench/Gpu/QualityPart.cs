using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.TokenAttention;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Verbs.Figures;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>
/// What a precision costs: 14B shapes, latents of 5 × 30 × 52 (1,950 tokens), against float32 on the same weights; beside
/// each eight-bit precision the error of its scheme alone (fake quantisation). Needs 60 GiB for the float32 side.
/// </summary>
internal static class QualityPart
{
    private const long Seed = 7;
    private const int Steps = 20;
    private const double Shift = 5;
    private static readonly (int Width, int Height, int Frames) Video = (416, 240, 17);

    public static void Run(FigureReport report)
    {
        var shape = ModelShapes.T2v14B.Transformer;
        using var kernels = new TokenKernels(new KernelCompiler(KernelFolder.Path));
        var ops = new FusedTokenOps(kernels);

        using var exact = Exact(shape);
        var schemes = new Dictionary<WeightFormat, double>
        {
            [WeightFormat.Float8Stored] = FakeError(shape, exact.Velocity, Float8.Type, activations: false),
            [WeightFormat.Float8] = FakeError(shape, exact.Velocity, Float8.Type, activations: true),
            [WeightFormat.Int8Stored] = FakeError(shape, exact.Velocity, Int8.Type, activations: false),
            [WeightFormat.Int8] = FakeError(shape, exact.Velocity, Int8.Type, activations: true),
        };
        foreach (
            var (precision, format) in new[]
            {
                (Precision.Bf16, WeightFormat.BFloat16),
                (Precision.Fp8Weights, WeightFormat.Float8Stored),
                (Precision.Fp8, WeightFormat.Float8),
                (Precision.Int8Weights, WeightFormat.Int8Stored),
                (Precision.Int8, WeightFormat.Int8),
            }
        )
        {
            var name = Word.Of(precision);
            using var result = LaidOut(shape, format, ops);
            var velocity = Error(result.Velocity, exact.Velocity);
            report.Figure($"velocity error, {name}", velocity, "", format == WeightFormat.BFloat16 ? 1e-2 : null);
            if (schemes.TryGetValue(format, out var scheme))
            {
                report.Figure($"velocity error, {name}, the scheme alone", scheme, "");
                report.Figure($"velocity error, {name} ÷ the scheme alone", velocity / scheme, "", 1.1);
            }
            var latent = Error(result.Latent, exact.Latent);
            report.Figure($"latent error after {Steps} steps, {name}", latent, "");
            if (format == WeightFormat.Float8)
            {
                EightBitAttention(report, shape, ops, exact, velocity, latent);
            }
        }
    }

    /// <summary>fp8 products with eight-bit attention, in all blocks and in all but the first and last ones.</summary>
    /// <param name="velocityInFull">Error with attention in full.</param>
    private static void EightBitAttention(
        FigureReport report,
        TransformerShape shape,
        FusedTokenOps ops,
        Outcome exact,
        double velocityInFull,
        double latentInFull
    )
    {
        if (FusedEightBitAttention.WhyNot(shape.HeadDim) is not null)
        {
            return;
        }
        using var kernels = new AttentionKernels(new KernelCompiler(KernelFolder.Path));
        var (full, eightBit) = (new FullAttention(ops), new FusedEightBitAttention(kernels));
        var last = shape.Layers - 1;
        (string Name, Func<int, bool> InFull)[] tables =
        [
            ("all blocks", _ => false),
            ("all but the first", block => block == 0),
            ("all but the last", block => block == last),
            ("all but first and last two", block => block < 2 || block > last - 2),
        ];
        foreach (var (name, inFull) in tables)
        {
            using var result = LaidOut(shape, WeightFormat.Float8, ops, new PartlyFull(eightBit, full, inFull));
            var (velocity, latent) = (Error(result.Velocity, exact.Velocity), Error(result.Latent, exact.Latent));
            var all = name == tables[0].Name;
            report.Figure($"velocity error, fp8, attention in eight bits, {name}", velocity, "", all ? 0.06 : null);
            report.Figure($"velocity error ÷ that in full, {name}", velocity / velocityInFull, "");
            report.Figure($"latent error after {Steps} steps, {name}", latent, "");
            report.Figure($"latent error ÷ that in full, {name}", latent / latentInFull, "", all ? 1.2 : null);
        }
    }

    private sealed class PartlyFull(IAttention eightBit, IAttention full, Func<int, bool> inFull) : IAttention
    {
        public Tensor Apply(int block, Tensor joined, HeadNorms norms, Tensor angles) =>
            (inFull(block) ? full : eightBit).Apply(block, joined, norms, angles);
    }

    private sealed record Outcome(Tensor Velocity, Tensor Latent) : IDisposable
    {
        public void Dispose()
        {
            Velocity.Dispose();
            Latent.Dispose();
        }
    }

    private static Outcome Exact(TransformerShape shape)
    {
        using var weights = new GeneratedWeights(Seed, CUDA, type: ScalarType.Float32);
        return Of(
            shape,
            Blocks(shape, index => weights.Scope($"blocks.{index}")),
            new PlainTokenOps(ScalarType.Float32),
            ScalarType.Float32
        );
    }

    /// <summary>One velocity, block by block: the exact weights are gone again after each.</summary>
    private static double FakeError(TransformerShape shape, Tensor exact, ScalarType code, bool activations)
    {
        using var source = new FakeOnEntry(shape, code, activations);
        using var forward = new DenoiserForward(
            shape,
            source,
            new PlainTokenOps(ScalarType.Float32),
            new RandomInputs(Video, Seed, ScalarType.Float32),
            keepContext: false
        );
        using var velocity = forward.Run();
        return Error(velocity, exact);
    }

    private static Outcome LaidOut(TransformerShape shape, WeightFormat format, FusedTokenOps ops, IAttention? attention = null)
    {
        var blocks = new GeneratedBlocks(shape, format, Seed, ops, CUDA);
        var memories = Enumerable.Range(0, shape.Layers).Select(_ => blocks.Memory()).ToList();
        for (var block = 0; block < memories.Count; block++)
        {
            blocks.Fill(block, memories[block]);
        }

        var weights = memories.Select(blocks.Weights).ToList();
        try
        {
            return Of(shape, Blocks(shape, index => weights[index]), ops, ScalarType.BFloat16, attention);
        }
        finally
        {
            foreach (var laidOut in weights)
            {
                laidOut.Dispose();
            }

            foreach (var memory in memories)
            {
                memory.Dispose();
            }
        }
    }

    private static ResidentBlocks<WanBlock> Blocks(TransformerShape shape, Func<int, IWeights> weights) =>
        new([.. Enumerable.Range(0, shape.Layers).Select(index => new WanBlock(weights(index), shape))]);

    private static Outcome Of(
        TransformerShape shape,
        IBlockSource<WanBlock> blocks,
        ITokenOps ops,
        ScalarType type,
        IAttention? attention = null
    )
    {
        var inputs = new RandomInputs(Video, Seed, type);
        using var forward = new DenoiserForward(shape, blocks, ops, inputs, keepContext: true, attention: attention);
        var velocity = forward.Run();
        using var scope = NewDisposeScope();
        using var sampler = Samplers.Create(Sampler.UniPc, Steps, Shift);
        var latent = forward.Latent.alias();
        for (var step = 0; step < Steps; step++)
        {
            latent = sampler.Advance(forward.Run(sampler.Schedule.Timesteps[step], latent), latent);
        }

        return new Outcome(velocity, latent.clone().DetachFromDisposeScope());
    }

    private static double Error(Tensor actual, Tensor expected) => ((actual - expected).norm() / expected.norm()).item<float>();

    private sealed class FakeOnEntry(TransformerShape shape, ScalarType code, bool activations) : IBlockSource<WanBlock>, IDisposable
    {
        private GeneratedWeights? _exact;
        private FakeQuantised? _fake;

        public int Count => shape.Layers;

        public WanBlock Enter(int index)
        {
            _exact = new GeneratedWeights(Seed, CUDA, $"blocks.{index}.", ScalarType.Float32);
            _fake = new FakeQuantised(_exact, code, activations);
            return new WanBlock(_fake, shape);
        }

        public void Leave(int index) => Dispose();

        public void Dispose()
        {
            _fake?.Dispose();
            _exact?.Dispose();
        }
    }
}
