using System.Diagnostics;
using RenderFarm.Contracts.Models;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Bench;

/// <summary>One forward of 14B at 480p × 81 frames.</summary>
internal static class SpeedPart
{
    private const long Seed = 7;
    private const int Repeats = 3;
    private static readonly (int Width, int Height, int Frames) Video = (832, 480, 81);

    public static void Run(BenchReport report)
    {
        var shape = ModelShapes.T2v14B.Transformer;
        using var kernels = new TokenKernels(new KernelCompiler(BenchPaths.Kernels));
        var ops = new FusedTokenOps(kernels);

        var bare = ProductsAndAttention(shape, Tokens(Video));
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
            report.Figure("fp8, streamed, pool's used high-water", peak / 1073741824.0, "GiB", 4.0);
            report.Check("streamed output is that of resident, bit for bit", same!.Value, "");
        }

        var dense = new GeneratedBlocks(shape, WeightFormat.BFloat16, Seed, ops, CUDA);
        var (bf16, _, other) = Resident(shape, dense, ops);
        other.Dispose();
        report.Figure("bf16, resident", bf16, "s", 2.85);
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
                Video,
                Seed,
                CUDA,
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
        Tensor? expected
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
            using (var forward = new DenoiserForward(shape, source, ops, video, Seed, CUDA, keepContext: false, chunk))
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

    /// <summary>What no implementation can do without: the fp8 products of all blocks and their attention, on random data.</summary>
    private static double ProductsAndAttention(TransformerShape shape, long tokens)
    {
        using var scope = NewDisposeScope();
        var dim = shape.Dim;
        var ffn = shape.FfnDim;
        (Tensor Values, Tensor Scales) Quantised(long rows, long columns) =>
            Float8.QuantizeRows(randn([rows, columns], dtype: ScalarType.BFloat16, device: CUDA));
        var (x, xs) = Quantised(tokens, dim);
        var (h, hs) = Quantised(tokens, ffn);
        var (square, squares) = Quantised(dim, dim);
        var (joined, joineds) = Quantised(3 * dim, dim);
        var (up, ups) = Quantised(ffn, dim);
        var (down, downs) = Quantised(dim, ffn);
        var q = randn([1, shape.Heads, tokens, shape.HeadDim], dtype: ScalarType.BFloat16, device: CUDA);
        var text = randn([1, shape.Heads, shape.TextLength, shape.HeadDim], dtype: ScalarType.BFloat16, device: CUDA);

        void Product(Tensor rows, Tensor rowScales, Tensor weight, Tensor weightScales) =>
            AtenOps.ScaledMm(rows, weight.t(), rowScales, weightScales.view(1, -1), bias: null).Dispose();
        void Block()
        {
            using var inner = NewDisposeScope();
            Product(x, xs, joined, joineds); // Q, k, v
            nn.functional.scaled_dot_product_attention(q, q, q).Dispose();
            for (var i = 0; i < 3; i++)
            {
                Product(x, xs, square, squares); // O; cross q and o
            }

            nn.functional.scaled_dot_product_attention(q, text, text).Dispose();
            Product(x, xs, up, ups);
            Product(h, hs, down, downs);
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
}
