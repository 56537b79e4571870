using RenderFarm.Contracts.Models;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Figures;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>Where a 14B block's time goes at 480p × 81 frames: each of its steps alone, on random data.</summary>
internal static class ProfilePart
{
    private const int Repeats = 10;

    public static void Run(FigureReport report)
    {
        var shape = ModelShapes.T2v14B.Transformer;
        var tokens = SpeedPart.Tokens((832, 480, 81));
        using var kernels = new TokenKernels(new KernelCompiler(KernelFolder.Path));
        var ops = new FusedTokenOps(kernels);
        using var scope = NewDisposeScope();
        Tensor Random(params long[] size) => randn(size, dtype: ScalarType.BFloat16, device: CUDA);
        var dim = shape.Dim;
        var ffn = shape.FfnDim;

        foreach (
            var (name, inputs, outputs) in new[] { ("qkv", dim, 3 * dim), ("o", dim, dim), ("ffn up", dim, ffn), ("ffn down", ffn, dim) }
        )
        {
            using var inner = NewDisposeScope();
            var (weight, bias, x) = (Random(outputs, inputs) * 0.02, Random(outputs), Random(1, tokens, inputs));
            var flops = 2.0 * tokens * inputs * outputs;
            var dense = new FusedLinear(weight, bias, kernels.Products);
            Report(report, $"bf16 {name}", () => dense.Apply(x), flops);
            Report(report, $"bf16 {name}, by libtorch", () => nn.functional.linear(x, weight, bias), flops);
            Report(report, $"bf16 {name}, by libtorch, without bias", () => nn.functional.linear(x, weight), flops);
            if (name == "ffn up")
            {
                Report(report, $"bf16 {name} and gelu", () => dense.ApplyGelu(new Activation(x), ops, RowFormat.Dense), flops);
            }

            var (whole, wholeScales) = Int8.QuantizeRows(weight);
            using var wholeRows = ops.Rows(x, RowFormat.Int8);
            var int8 = new Int8Linear(whole, wholeScales, bias, new FusedInt8Products(ops));
            Report(report, $"int8 {name} with bias", () => int8.Apply(wholeRows), flops);
            Report(report, $"int8 {name}, sums alone", () => AtenOps.IntMm(wholeRows.Values.view(-1, inputs), whole.t()), flops);
            var (values, scales) = Float8.QuantizeRows(weight);
            using var rows = ops.Rows(x, RowFormat.Float8);
            Report(report, $"fp8 {name} with bias", () => new Float8Linear(values, scales, bias, ops).Apply(rows), flops);
            Report(report, $"fp8 {name} without bias", () => new Float8Linear(values, scales, null, ops).Apply(rows), flops);
        }
        AttentionAndTokens(report, shape, tokens, ops);
    }

    private static void AttentionAndTokens(FigureReport report, TransformerShape shape, long tokens, FusedTokenOps ops)
    {
        using var scope = NewDisposeScope();
        var dim = shape.Dim;
        var joined = randn([1, tokens, 3 * dim], dtype: ScalarType.BFloat16, device: CUDA);
        Tensor Part(int i) => joined.narrow(2, i * dim, dim).unflatten(2, shape.Heads, shape.HeadDim);
        var flops = 4.0 * tokens * tokens * dim;
        Report(report, "attention on columns of one product", () => Attention.Apply(Part(0), Part(1), Part(2)), flops);
        var (q, k, v) = (Part(0).transpose(1, 2).contiguous(), Part(1).transpose(1, 2).contiguous(), Part(2).transpose(1, 2).contiguous());
        Report(report, "attention on contiguous heads", () => nn.functional.scaled_dot_product_attention(q, k, v), flops);
        var text = randn([1, shape.TextLength, shape.Heads, shape.HeadDim], dtype: ScalarType.BFloat16, device: CUDA);
        Report(report, "cross-attention", () => Attention.Apply(Part(0), text, text), 4.0 * tokens * shape.TextLength * dim);

        var x = randn([1, tokens, dim], dtype: ScalarType.Float32, device: CUDA);
        var y = randn([1, tokens, dim], dtype: ScalarType.BFloat16, device: CUDA);
        var hidden = randn([1, tokens, shape.FfnDim], dtype: ScalarType.BFloat16, device: CUDA);
        var row = new PerRun(randn([1, 1, dim], device: CUDA) * 0.01, [long.MaxValue]);
        var affine = new NormAffine(row, row, AddsOne: true, shape.Epsilon);
        var weight = ones([dim], device: CUDA);
        var angles = polar(ones([tokens, 1, shape.HeadDim / 2], device: CUDA), randn([tokens, 1, shape.HeadDim / 2], device: CUDA));
        Report(report, "norm to fp8", () => ops.Norm(x, affine, RowFormat.Float8));
        Report(report, "norm to bf16", () => ops.Norm(x, affine, RowFormat.Dense));
        Report(report, "add and norm to fp8", () => ops.AddNorm(x, y, row, affine, RowFormat.Float8).Normed);
        Report(report, "add", () => ops.Add(x, y, row));
        Report(
            report,
            "rms norm and rope of q",
            () => ops.NormRotate(joined.narrow(2, 0, dim), weight, shape.Epsilon, shape.Heads, angles)
        );
        Report(report, "rows to fp8", () => ops.Rows(y, RowFormat.Float8));
        Report(report, "gelu to fp8", () => ops.Gelu(hidden.alias(), RowFormat.Float8));
        Report(report, "norm to int8", () => ops.Norm(x, affine, RowFormat.Int8));
        Report(report, "gelu to int8", () => ops.Gelu(hidden.alias(), RowFormat.Int8));
        Report(report, "gelu in bf16", () => ops.Gelu(hidden.alias(), RowFormat.Dense));
    }

    private static void Report(FigureReport report, string name, Func<IDisposable> step, double flops = 0)
    {
        for (var i = 0; i < 3; i++)
        {
            step().Dispose();
        }

        using var start = CudaEvent.Create(timing: true);
        using var end = CudaEvent.Create(timing: true);
        start.Record(CudaStream.Default);
        for (var i = 0; i < Repeats; i++)
        {
            step().Dispose();
        }

        end.Record(CudaStream.Default);
        end.Synchronize();
        var milliseconds = end.Since(start).TotalMilliseconds / Repeats;
        report.Figure(name, milliseconds, "ms");
        if (flops > 0)
        {
            report.Figure($"{name}, rate", flops / milliseconds / 1e9, "TFLOP/s");
        }
    }
}
