using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>
/// Whether eight-bit attention runs here and is right: against the plain tensors that define it where these are quick, and against
/// attention in full where a sum over many keys would show what a matrix unit loses.
/// </summary>
internal static class EightBitAttentionCheck
{
    /// <summary>The same rounding, sums in another order: some numbers land on the other side of a half.</summary>
    public const double FromDefinition = 0.02;

    private const int FewTokens = 777;
    private const int ManyTokens = 16_301;
    private const int Heads = 2;
    private const int Dim = Heads * FusedEightBitAttention.HeadDim;

    /// <summary>Null when it runs and is right.</summary>
    public static string? WhyNot(TokenKernels kernels)
    {
        if (FusedEightBitAttention.WhyNot(FusedEightBitAttention.HeadDim) is { } reason)
        {
            return reason;
        }

        using var scope = NewDisposeScope();
        try
        {
            var fused = new FusedEightBitAttention(kernels.Attention);
            var full = new FullAttention(new FusedTokenOps(kernels));
            var few = Error(FewTokens, fused, fused.Definition);
            if (!(few <= FromDefinition))
            {
                return $"off its definition by {few:0.0e+0}";
            }

            var many = Error(ManyTokens, fused, full);
            return many <= CheckedAttention.DefaultLimit ? null : $"off attention in full by {many:0.0e+0} over {ManyTokens} tokens";
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    private static double Error(long tokens, IAttention attention, IAttention expected)
    {
        using var scope = NewDisposeScope();
        var joined = randn([1, tokens, 3 * Dim], device: CUDA);
        // Keys of a model have a mean
        joined.narrow(2, Dim, Dim).add_(randn([Dim], device: CUDA));
        var rows = joined.to(ScalarType.BFloat16);
        var norms = new HeadNorms(randn([Dim], device: CUDA).exp(), ones([Dim], device: CUDA), 1e-6, Heads);
        var turns = randn([tokens, 1, FusedEightBitAttention.HeadDim / 2], device: CUDA);
        var angles = polar(ones_like(turns), turns);
        var actual = attention.Apply(0, rows.clone(), norms, angles).to(ScalarType.Float32);
        var exact = expected.Apply(0, rows, norms, angles).to(ScalarType.Float32);
        return ((actual - exact).norm() / exact.norm()).item<float>();
    }
}
