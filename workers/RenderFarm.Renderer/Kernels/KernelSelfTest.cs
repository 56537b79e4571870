using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Figures;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Kernels;

/// <summary>Every kernel against the plain tensors that define it, on sizes of several models.</summary>
internal static class KernelSelfTest
{
    public static void Run(FigureReport report)
    {
        using var noGradients = no_grad();
        backends.cuda.matmul.allow_tf32 = false;
        backends.cudnn.allow_tf32 = false;
        AttentionSelfTest.Run(report);
        FrameSelfTest.Run(report);
        CompareAll(report);
    }

    private static void CompareAll(FigureReport report)
    {
        using var kernels = new TokenKernels(new KernelCompiler(KernelFolder.Path));
        var (fused, plain) = (new FusedTokenOps(kernels), new PlainTokenOps(ScalarType.BFloat16));
        foreach (var (dim, heads, ffn) in new[] { (5120, 40, 13824), (1536, 12, 8960), (3072, 24, 14336), (96, 2, 256) })
        {
            using var scope = NewDisposeScope();
            const int Tokens = 777;
            Tensor Rows(int width, ScalarType type) => randn([1, Tokens, width], dtype: ScalarType.Float32, device: CUDA).to(type);
            PerRun Row(params long[] runs) => new(randn([1, runs.Length, dim], device: CUDA), runs);
            long[] one = [long.MaxValue],
                two = [100, long.MaxValue];
            foreach (var runs in new[] { one, two })
            {
                var affine = new NormAffine(Row(runs), Row(runs), AddsOne: true, 1e-6);
                var gate = Row(runs);
                var (x, y) = (Rows(dim, ScalarType.Float32), Rows(dim, ScalarType.BFloat16));
                foreach (var format in new[] { RowFormat.Dense, RowFormat.Float8, RowFormat.Int8 })
                {
                    var (plainX, plainZ) = plain.AddNorm(x.clone(), y, gate, affine, format);
                    var (fusedX, fusedZ) = fused.AddNorm(x.clone(), y, gate, affine, format);
                    Compare(report, $"add {dim} {runs.Length} runs", fusedX, plainX, 1e-6);
                    Compare(
                        report,
                        $"norm {dim} {runs.Length} runs {format}",
                        Dense(fusedZ),
                        Dense(plainZ),
                        format == RowFormat.Dense ? 1e-3 : 2e-3
                    );
                }
                Compare(report, $"gated add {dim} {runs.Length} runs", fused.Add(x.clone(), y, gate), plain.Add(x, y, gate), 1e-6);
            }
            var (pair, pairY, shared) = (
                randn([2, Tokens, dim], device: CUDA),
                randn([2, Tokens, dim], device: CUDA).to(ScalarType.BFloat16),
                new NormAffine(Row(one), Row(one), AddsOne: true, 1e-6)
            );
            var (pairPlain, pairFused) = (
                plain.AddNorm(pair.clone(), pairY, shared.Scale, shared, RowFormat.Dense),
                fused.AddNorm(pair.clone(), pairY, shared.Scale, shared, RowFormat.Dense)
            );
            Compare(report, $"add and norm of a batch {dim}", Dense(pairFused.Normed), Dense(pairPlain.Normed), 1e-3);
            var weight = randn([dim], device: CUDA);
            var angles = polar(ones([Tokens, 1, dim / heads / 2], device: CUDA), randn([Tokens, 1, dim / heads / 2], device: CUDA));
            var wide = Rows(3 * dim, ScalarType.BFloat16);
            var expected = plain.NormRotate(wide.narrow(2, dim, dim), weight, 1e-6, heads, angles);
            Compare(
                report,
                $"rms norm and rope {dim}",
                fused.NormRotate(wide.narrow(2, dim, dim), weight, 1e-6, heads, angles),
                expected,
                2e-3
            );
            var batch = randn([2, Tokens, dim], device: CUDA).to(ScalarType.BFloat16);
            Compare(
                report,
                $"rms norm and rope of a batch {dim}",
                fused.NormRotate(batch.clone(), weight, 1e-6, heads, angles),
                plain.NormRotate(batch, weight, 1e-6, heads, angles),
                2e-3
            );
            var hidden = Rows(ffn, ScalarType.BFloat16);
            foreach (var format in new[] { RowFormat.Float8, RowFormat.Int8 })
            {
                Compare(
                    report,
                    $"gelu {format} {ffn}",
                    Dense(fused.Gelu(hidden.clone(), format)),
                    Dense(plain.Gelu(hidden.clone().to(ScalarType.Float32), format)),
                    2e-3
                );
            }

            Compare(
                report,
                $"gelu bf16 {ffn}",
                Dense(fused.Gelu(hidden.clone(), RowFormat.Dense)),
                Dense(plain.Gelu(hidden.clone(), RowFormat.Dense)),
                2e-3
            );
            var matrix = randn([ffn, dim], device: CUDA).to(ScalarType.BFloat16);
            foreach (var code in new[] { Float8.Type, Int8.Type })
            {
                var (stored, storedScales) = EightBits.QuantizeRows(matrix, code);
                Compare(
                    report,
                    $"cast up {(code == Int8.Type ? "int8" : "fp8")} {ffn} x {dim}",
                    fused.CastUp(stored, storedScales),
                    EightBits.Dequantize(stored, storedScales, ScalarType.BFloat16),
                    1e-6
                );
            }

            var (values, scales) = Float8.QuantizeRows(matrix);
            var bias = randn([ffn], device: CUDA).to(ScalarType.BFloat16);
            var rows = fused.Rows(Rows(dim, ScalarType.BFloat16), RowFormat.Float8);
            var product = new Float8Linear(values, scales, bias, fused).Apply(rows);
            var exact = nn.functional.linear(
                Dense(rows),
                EightBits.Dequantize(values, scales, ScalarType.Float32),
                bias.to(ScalarType.Float32)
            );
            Compare(report, $"fp8 product {dim} to {ffn}", product, exact, 4e-3);
            var (whole, wholeScales) = Int8.QuantizeRows(matrix);
            foreach (var count in new[] { Tokens, 5 })
            {
                var wholeRows = fused.Rows(Rows(dim, ScalarType.BFloat16).narrow(1, 0, count).contiguous(), RowFormat.Int8);
                Compare(
                    report,
                    $"int8 product of {count} rows, {dim} to {ffn}",
                    new Int8Linear(whole, wholeScales, bias, new FusedInt8Products(fused)).Apply(wholeRows),
                    new Int8Linear(whole, wholeScales, bias, new PlainInt8Products()).Apply(wholeRows),
                    1e-3
                );
            }

            var x16 = Rows(2 * dim, ScalarType.BFloat16).narrow(2, dim, dim);
            var linear = new FusedLinear(matrix, bias, kernels.Products);
            var exact16 = nn.functional.linear(x16.to(ScalarType.Float32), matrix.to(ScalarType.Float32), bias.to(ScalarType.Float32));
            Compare(report, $"bf16 product {dim} to {ffn}", linear.Apply(x16), exact16, 3e-3);
            Compare(
                report,
                $"bf16 product and gelu {dim} to {ffn}",
                Dense(linear.ApplyGelu(new Activation(x16), fused, RowFormat.Dense)),
                Dense(plain.Gelu(exact16, RowFormat.Dense)),
                4e-3
            );
        }
    }

    private static Tensor Dense(Activation rows) => rows.Scales is null ? rows.Values : rows.Values.to(ScalarType.Float32) * rows.Scales;

    private static void Compare(FigureReport report, string name, Tensor actual, Tensor expected, double limit)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (actual.to(ScalarType.Float32), expected.to(ScalarType.Float32));
        double error = ((a - b).norm() / b.norm()).item<float>();
        report.Check(name, error <= limit, $"error {error:0.0e+0}, limit {limit:0.0e+0}");
    }
}
