using System.Diagnostics;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>What this process's cores reach on float32 products, attention and memory.</summary>
internal static class ProcessorRates
{
    private const double Seconds = 0.7;

    public static IReadOnlyList<RatePiece> Pieces =>
        [
            new("float32", rates => rates with { Fp32Flops = Products() }),
            new("attention", rates => rates with { AttentionFlops = Attention() }),
            new("memory", rates => rates with { MemoryBytesPerSecond = Traffic() }),
        ];

    private static double Products()
    {
        using var scope = NewDisposeScope();
        const int Rows = 2048;
        const int Dim = 1024;
        var (x, weight) = (randn(Rows, Dim), randn(Dim, Dim));
        return 2.0 * Rows * Dim * Dim * PerSecond(() => nn.functional.linear(x, weight).Dispose());
    }

    private static double Attention()
    {
        using var scope = NewDisposeScope();
        const int Tokens = 1024;
        const int Heads = 8;
        const int Size = 64;
        var q = randn(1, Heads, Tokens, Size);
        return 4.0 * Heads * Tokens * Tokens * Size
            * PerSecond(() => nn.functional.scaled_dot_product_attention(q, q, q).Dispose());
    }

    private static double Traffic()
    {
        using var scope = NewDisposeScope();
        const int Values = 16 << 20;
        var big = randn(Values);
        var copy = empty_like(big);
        return 8.0 * Values * PerSecond(() => copy.copy_(big));
    }

    private static double PerSecond(Action action)
    {
        action();
        var rounds = 0;
        var started = Stopwatch.GetTimestamp();
        do
        {
            action();
            rounds++;
        } while (Stopwatch.GetElapsedTime(started).TotalSeconds < Seconds);
        return rounds / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
