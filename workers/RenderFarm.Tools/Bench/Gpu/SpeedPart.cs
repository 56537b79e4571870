using System.Diagnostics;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Units;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Blas;
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

/// <summary>One forward of 14B at 480p × 81 frames.</summary>
internal static class SpeedPart
{
    private const long Seed = 7;
    private const int Repeats = 3;
    private static readonly (int Width, int Height, int Frames) Video = (832, 480, 81);

    public static void Run(FigureReport report)
    {
        var shape = ModelShapes.T2v14B.Transformer;
        using var kernels = new TokenKernels(new KernelCompiler(KernelFolder.Path));
        var ops = new FusedTokenOps(kernels);

        var bare = ProductsAndAttention(shape, () => Float8Products(shape, Tokens(Video)), Tokens(Video));
        report.Figure("products and attention alone, fp8", bare, "s");

        var blocks = new GeneratedBlocks(shape, WeightFormat.Float8, Seed, ops, CUDA);
        var (resident, _, velocity) = Resident(shape, blocks, ops);
        report.Figure("fp8, resident", resident, "s", 2.50);
        report.Figure("fp8, resident ÷ products and attention", resident / bare, "", 1.14);

        using (velocity)
        {
            var (streamed, peak, same) = Streamed(shape, blocks, ops, Video, Repeats, chunk: 16384, velocity);
            report.Figure("fp8, 40 of 40 streamed", streamed, "s");
            report.Figure("fp8, streamed ÷ resident", streamed / resident, "", 1.01);
            report.Figure("fp8, streamed, pool's used high-water", Gibibytes.Of(peak), "GiB", 4.0);
            report.Check("streamed output is that of resident, bit for bit", same!.Value, "");
        }

        var dense = new GeneratedBlocks(shape, WeightFormat.BFloat16, Seed, ops, CUDA);
        var (bf16, _, other) = Resident(shape, dense, ops);
        other.Dispose();
        report.Figure("bf16, resident", bf16, "s", 2.85);
        var own = ProductsAndAttention(shape, () => DenseProducts(shape, Tokens(Video), kernels.Products), Tokens(Video));
        report.Figure("products and attention alone, bf16", own, "s");
        report.Figure("bf16, resident ÷ products and attention", bf16 / own, "", 1.04);
    }

    public static long Tokens((int Width, int Height, int Frames) video) =>
        ((video.Frames - 1) / 4 + 1) * (video.Height / 16) * (video.Width / 16);

    private static (double Seconds, long Peak, Tensor Velocity) Resident(TransformerShape shape, GeneratedBlocks blocks, FusedTokenOps ops)
    {
        var memories = Enumerable.Range(0, shape.Layers).Select(_ => blocks.Memory()).ToList();
        for (var block = 0; block < memories.Count; block++)
        {
            blocks.Fill(block, memories[block]);
        }

        var weights = memories.Select(blocks.Weights).ToList();
        try
        {
            using var forward = new DenoiserForward(
                shape,
                new ResidentBlocks<WanBlock>([.. weights.Select(blocks.Over)]),
                ops,
                new RandomInputs(Video, Seed),
                keepContext: true
            );
            return forward.Time(Repeats);
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

    /// <summary>All blocks streamed through two slots.</summary>
    /// <param name="expected">Compared bit by bit when given.</param>
    public static (double Seconds, long Peak, bool? Same) Streamed(
        TransformerShape shape,
        GeneratedBlocks blocks,
        FusedTokenOps ops,
        (int Width, int Height, int Frames) video,
        int repeats,
        long chunk,
        Tensor? expected,
        IAttention? attention = null
    )
    {
        var path = BenchPaths.Prepared("blocks");
        try
        {
            using var prepared = blocks.Prepare(path);
            var ring = new BlockRing(shape.Layers, resident: 0, slots: 2);
            var slots = Enumerable.Range(0, ring.Slots).Select(_ => blocks.Memory()).ToList();
            var weights = slots.Select(blocks.Weights).ToList();
            using (
                var source = new StreamedBlocks<WanBlock>(
                    ring,
                    new Dictionary<int, WanBlock>(),
                    [.. weights.Select(blocks.Over)],
                    new CudaBlockCopier(prepared.Address, prepared.BlockBytes, slots)
                )
            )
            using (
                var forward = new DenoiserForward(
                    shape,
                    source,
                    ops,
                    new RandomInputs(video, Seed),
                    keepContext: false,
                    chunk,
                    attention
                )
            )
            {
                var (seconds, peak, velocity) = forward.Time(repeats);
                using (velocity)
                {
                    bool? same = expected is null ? null : velocity.equal(expected).all().item<bool>();
                    foreach (var laidOut in weights)
                    {
                        laidOut.Dispose();
                    }

                    CudaDevice.Synchronize();
                    foreach (var slot in slots)
                    {
                        slot.Dispose();
                    }

                    return (seconds, peak, same);
                }
            }
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    /// <summary>What no implementation can do without: the products of all blocks and their attention, on random data.</summary>
    /// <param name="make">The products of a block.</param>
    private static double ProductsAndAttention(TransformerShape shape, Func<BlockProducts> make, long tokens)
    {
        using var scope = NewDisposeScope();
        var products = make();
        var q = randn([1, shape.Heads, tokens, shape.HeadDim], dtype: ScalarType.BFloat16, device: CUDA);
        var text = randn([1, shape.Heads, shape.TextLength, shape.HeadDim], dtype: ScalarType.BFloat16, device: CUDA);
        void Block()
        {
            using var inner = NewDisposeScope();
            products.Joined();
            nn.functional.scaled_dot_product_attention(q, q, q).Dispose();
            for (var i = 0; i < 3; i++)
            {
                products.Square(); // o; cross q and o
            }
            nn.functional.scaled_dot_product_attention(q, text, text).Dispose();
            products.Up();
            products.Down();
        }

        for (var i = 0; i < 3; i++)
        {
            Block();
        }
        CudaDevice.Synchronize();
        var seconds = new List<double>();
        for (var repeat = 0; repeat < Repeats; repeat++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var layer = 0; layer < shape.Layers; layer++)
            {
                Block();
            }
            CudaDevice.Synchronize();
            seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return seconds.Order().ElementAt(Repeats / 2);
    }

    /// <param name="Joined">q, k and v.</param>
    /// <param name="Square">As o, and q and o of the cross-attention.</param>
    private sealed record BlockProducts(Action Joined, Action Square, Action Up, Action Down);

    private static BlockProducts Float8Products(TransformerShape shape, long tokens)
    {
        var dim = shape.Dim;
        var ffn = shape.FfnDim;
        (Tensor Values, Tensor Scales) Quantised(long rows, long columns) =>
            Float8.QuantizeRows(randn([rows, columns], dtype: ScalarType.BFloat16, device: CUDA));
        var (rows, wide) = (Quantised(tokens, dim), Quantised(tokens, ffn));
        Action Product((Tensor Values, Tensor Scales) x, long outputs)
        {
            var weight = Quantised(outputs, x.Values.shape[1]);
            return () => AtenOps.ScaledMm(x.Values, weight.Values.t(), x.Scales, weight.Scales.view(1, -1), bias: null).Dispose();
        }
        return new(Product(rows, 3 * dim), Product(rows, dim), Product(rows, ffn), Product(wide, dim));
    }

    /// <summary>By the products that a forward runs, bias and GELU included.</summary>
    private static BlockProducts DenseProducts(TransformerShape shape, long tokens, RowProducts products)
    {
        var dim = shape.Dim;
        var ffn = shape.FfnDim;
        Tensor Random(params long[] size) => randn(size, dtype: ScalarType.BFloat16, device: CUDA) * 0.02;
        var (rows, wide) = (Random(tokens, dim), Random(tokens, ffn));
        Action Product(Tensor x, long outputs, Epilogue epilogue = Epilogue.Bias)
        {
            var (weight, bias) = (Random(outputs, x.shape[1]), Random(outputs));
            return () => products.Apply(x, weight, bias, epilogue).Dispose();
        }
        return new(Product(rows, 3 * dim), Product(rows, dim), Product(rows, ffn, Epilogue.BiasGelu), Product(wide, dim));
    }
}
