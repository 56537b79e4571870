using System.Diagnostics;
using RenderFarm.Contracts.Models;
using RenderFarm.Cuda;
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
/// Forwards of 14B in fp8 with attention in full and in eight bits, turn by turn in one run, at 480p and 720p × 81 frames.
/// </summary>
internal sealed class AttentionPart : IDisposable
{
    private const long Seed = 7;
    private const int BlockRepeats = 5;
    private static readonly (string Name, (int Width, int Height, int Frames) Size, int Repeats, double Limit)[] Videos =
    [
        ("480p", (832, 480, 81), 5, 0.79),
        ("720p", (1280, 720, 81), 3, 0.69),
    ];

    private readonly FigureReport _report;
    private readonly TransformerShape _shape = ModelShapes.T2v14B.Transformer;
    private readonly TokenKernels _kernels = new(new KernelCompiler(KernelFolder.Path));
    private readonly FusedTokenOps _ops;
    private readonly FullAttention _full;
    private readonly FusedEightBitAttention _eightBit;

    private AttentionPart(FigureReport report)
    {
        _report = report;
        _ops = new FusedTokenOps(_kernels);
        _full = new FullAttention(_ops);
        _eightBit = new FusedEightBitAttention(_kernels.Attention);
    }

    public static void Run(FigureReport report)
    {
        if (FusedEightBitAttention.WhyNot(ModelShapes.T2v14B.Transformer.HeadDim) is { } reason)
        {
            report.Say($"no eight-bit attention here: {reason}");
            return;
        }
        using var part = new AttentionPart(report);
        foreach (var (name, size, _, _) in Videos)
        {
            part.OneBlock(name, SpeedPart.Tokens(size));
        }
        part.Forwards();
    }

    public void Dispose() => _kernels.Dispose();

    /// <summary>From the joined product to attended rows.</summary>
    private void OneBlock(string name, long tokens)
    {
        using var scope = NewDisposeScope();
        var joined = randn([1, tokens, 3 * _shape.Dim], dtype: ScalarType.BFloat16, device: CUDA);
        var norms = new HeadNorms(ones([_shape.Dim], device: CUDA), ones([_shape.Dim], device: CUDA), _shape.Epsilon, _shape.Heads);
        var angles = polar(ones([tokens, 1, _shape.HeadDim / 2], device: CUDA), randn([tokens, 1, _shape.HeadDim / 2], device: CUDA));
        double Milliseconds(IAttention attention)
        {
            var times = new List<double>();
            for (var i = 0; i < BlockRepeats + 1; i++)
            {
                CudaDevice.Synchronize();
                var started = Stopwatch.GetTimestamp();
                attention.Apply(0, joined.alias(), norms, angles).Dispose();
                CudaDevice.Synchronize();
                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
            return times.Skip(1).Order().ElementAt(BlockRepeats / 2);
        }

        var (full, eightBit) = (Milliseconds(_full), Milliseconds(_eightBit));
        if (_eightBit.IsForHopper)
        {
            var anywhere = Milliseconds(new FusedEightBitAttention(_kernels.Attention, onHopper: false));
            _report.Figure($"{name}, a block's attention in eight bits, as on cards that are not Hopper", anywhere, "ms");
        }

        _report.Figure($"{name}, a block's attention in full", full, "ms");
        _report.Figure($"{name}, a block's attention in eight bits", eightBit, "ms");
        _report.Figure($"{name}, rate in eight bits, rounding included", 4.0 * tokens * tokens * _shape.Dim / eightBit / 1e9, "TFLOP/s");
        _report.Figure($"{name}, a block's attention, eight bits ÷ full", eightBit / full, "");
    }

    private void Forwards()
    {
        var blocks = new GeneratedBlocks(_shape, WeightFormat.Float8, Seed, _ops, CUDA);
        var memories = Enumerable.Range(0, _shape.Layers).Select(_ => blocks.Memory()).ToList();
        for (var block = 0; block < memories.Count; block++)
        {
            blocks.Fill(block, memories[block]);
        }
        var weights = memories.Select(blocks.Weights).ToList();
        var resident = new ResidentBlocks<WanBlock>([.. weights.Select(blocks.Over)]);
        var seconds = Videos.Select(video => Compare(resident, video.Name, video.Size, video.Repeats, video.Limit)).ToList();
        foreach (var laidOut in weights)
        {
            laidOut.Dispose();
        }
        foreach (var memory in memories)
        {
            memory.Dispose();
        }

        var (streamed, _, _) = SpeedPart.Streamed(
            _shape,
            blocks,
            _ops,
            Videos[0].Size,
            repeats: 3,
            chunk: 16384,
            expected: null,
            _eightBit
        );
        _report.Figure("480p, eight bits, 40 of 40 streamed", streamed, "s");
        _report.Figure("480p, eight bits, streamed ÷ resident", streamed / seconds[0], "", 1.01);
    }

    /// <returns>Median seconds in eight bits.</returns>
    private double Compare(ResidentBlocks<WanBlock> blocks, string name, (int, int, int) size, int repeats, double limit)
    {
        var proven = new CheckedAttention(_eightBit, _full);
        var inputs = new RandomInputs(size, Seed);
        using var inFull = new DenoiserForward(_shape, blocks, _ops, inputs, keepContext: true, attention: _full);
        using var inEight = new DenoiserForward(_shape, blocks, _ops, inputs, keepContext: true, attention: proven);
        var velocities = (Full: inFull.Run(), Eight: inEight.Run());
        _report.Figure(
            $"{name}, velocity in eight bits from that in full",
            ((velocities.Eight - velocities.Full).norm() / velocities.Full.norm()).item<float>(),
            ""
        );
        _report.Check($"{name}, no block's check failed", proven.Notes.Count == 0, string.Join("; ", proven.Notes));
        velocities.Full.Dispose();
        velocities.Eight.Dispose();

        var (full, eight) = (new List<double>(), new List<double>());
        for (var i = 0; i < repeats; i++)
        {
            full.Add(Seconds(inFull));
            eight.Add(Seconds(inEight));
        }
        var (medianFull, medianEight) = (Median(full), Median(eight));
        _report.Figure($"{name}, fp8, attention in full", medianFull, "s");
        _report.Figure($"{name}, fp8, attention in eight bits", medianEight, "s");
        _report.Figure($"{name}, forward, eight bits ÷ full", medianEight / medianFull, "", limit);
        return medianEight;
    }

    private static double Seconds(DenoiserForward forward)
    {
        CudaDevice.Synchronize();
        var started = Stopwatch.GetTimestamp();
        forward.Run().Dispose();
        CudaDevice.Synchronize();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
