using System.Diagnostics;
using RenderFarm.Contracts.Plans;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>What this process's cores reach on float32 products, attention and memory.</summary>
internal static class ProcessorRates
{
    private const double Seconds = 0.7;

    public static CardCalibration Measure(string key)
    {
        using var scope = NewDisposeScope();
        const int Rows = 2048;
        const int Dim = 1024;
        const int Tokens = 1024;
        const int Heads = 8;
        const int Size = 64;
        var (x, weight) = (randn(Rows, Dim), randn(Dim, Dim));
        var (q, big) = (randn(1, Heads, Tokens, Size), randn(16 << 20));
        var copy = empty_like(big);
        return new CardCalibration
        {
            Key = key,
            Fp32Flops = 2.0 * Rows * Dim * Dim * PerSecond(() => nn.functional.linear(x, weight).Dispose()),
            AttentionFlops =
                4.0 * Heads * Tokens * Tokens * Size * PerSecond(() => nn.functional.scaled_dot_product_attention(q, q, q).Dispose()),
            MemoryBytesPerSecond = 8.0 * (16 << 20) * PerSecond(() => copy.copy_(big)),
        };
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
