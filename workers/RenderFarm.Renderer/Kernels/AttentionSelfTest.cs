using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using RenderFarm.Renderer.Calibration;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Figures;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Kernels;

/// <summary>The kernels of eight-bit attention against the plain tensors that define it, and both against attention in float32.</summary>
internal static class AttentionSelfTest
{
    public static void Run(FigureReport report)
    {
        if (FusedEightBitAttention.WhyNot(FusedEightBitAttention.HeadDim) is { } reason)
        {
            report.Say($"no eight-bit attention here: {reason}");
            return;
        }
        using var kernels = new AttentionKernels(new KernelCompiler(KernelFolder.Path));
        // What suits this card, and what suits every card
        foreach (var onHopper in new[] { new FusedEightBitAttention(kernels).IsForHopper, false }.Distinct())
        {
            Run(report, new FusedEightBitAttention(kernels, onHopper));
        }
    }

    private static void Run(FigureReport report, FusedEightBitAttention fused)
    {
        var plain = fused.Definition;
        var exact = new FullAttention(new PlainTokenOps(ScalarType.Float32));
        foreach (
            var (heads, tokens, batch) in new[]
            {
                (2, 1, 1),
                (3, 5, 1),
                (12, 127, 1),
                (24, 128, 1),
                (40, 129, 2),
                (5, 191, 1),
                (12, 193, 1),
                (40, 777, 2),
                (24, 4097, 1),
            }
        )
        {
            using var scope = NewDisposeScope();
            var (joined, norms, angles) = Inputs(heads, tokens, batch);
            var actual = fused.Apply(0, joined.clone(), norms, angles);
            var name = $"eight-bit attention{(fused.IsForHopper ? " on Hopper" : "")}, {batch} x {tokens} tokens, {heads} heads";
            Compare(report, name, actual, plain.Apply(0, joined.clone(), norms, angles), EightBitAttentionCheck.FromDefinition);
            Compare(
                report,
                $"{name}, from float32",
                actual,
                exact.Apply(0, joined.to(ScalarType.Float32), norms, angles),
                CheckedAttention.DefaultLimit
            );
            report.Check($"{name}, the same twice", actual.equal(fused.Apply(0, joined.clone(), norms, angles)).all().item<bool>(), "");
        }
        NotANumber(report, fused);
    }

    /// <summary>Whatever is not a number comes out as such, in its own row at least.</summary>
    private static void NotANumber(FigureReport report, FusedEightBitAttention fused)
    {
        foreach (var (name, column) in new[] { ("q", 5), ("k", 389), ("v", 773) })
        {
            using var scope = NewDisposeScope();
            var (joined, norms, angles) = Inputs(heads: 3, tokens: 200, batch: 1);
            joined[0, 7, column] = float.NaN;
            report.Check($"NaN in {name} is seen", fused.Apply(0, joined, norms, angles)[0, 7].isnan().any().item<bool>(), "");
        }
    }

    /// <summary>Random, with channels that stand out and a mean in k.</summary>
    private static (Tensor Joined, HeadNorms Norms, Tensor Angles) Inputs(int heads, int tokens, int batch)
    {
        var dim = heads * FusedEightBitAttention.HeadDim;
        var joined = randn([batch, tokens, 3 * dim], device: CUDA);
        joined.narrow(2, dim, dim).add_(randn([dim], device: CUDA));
        var few = arange(dim, device: CUDA).remainder(FusedEightBitAttention.HeadDim) < 3;
        Tensor Gains() => where(few, full([dim], 3f, device: CUDA), ones([dim], device: CUDA)) * randn([dim], device: CUDA).mul(0.3).exp();
        var turns = randn([tokens, 1, FusedEightBitAttention.HeadDim / 2], device: CUDA);
        return (joined.to(ScalarType.BFloat16), new HeadNorms(Gains(), Gains(), 1e-6, heads), polar(ones_like(turns), turns));
    }

    private static void Compare(FigureReport report, string name, Tensor actual, Tensor expected, double limit)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (actual.to(ScalarType.Float32), expected.to(ScalarType.Float32));
        double error = ((a - b).norm() / b.norm()).item<float>();
        report.Check(name, error <= limit, $"error {error:0.0e+0}, limit {limit:0.0e+0}");
    }
}
