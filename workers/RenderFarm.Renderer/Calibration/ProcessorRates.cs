using System.Diagnostics;
using RenderFarm.Contracts.Plans;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>What this process's cores reach on float32 products, attention and memory.</summary>
internal static class ProcessorRates
{
    private const double Seconds = 0.7;

    public static CardCalibration Measure(string key)
    {
        using var scope = NewDisposeScope();
        const int rows = 2048,
            dim = 1024,
            tokens = 1024,
            heads = 8,
            size = 64;
        var (x, weight) = (randn(rows, dim), randn(dim, dim));
        var (q, big) = (randn(1, heads, tokens, size), randn(16 << 20));
        var copy = empty_like(big);
        return new CardCalibration
        {
            Key = key,
            Fp32Flops = 2.0 * rows * dim * dim * PerSecond(() => nn.functional.linear(x, weight).Dispose()),
            AttentionFlops =
                4.0 * heads * tokens * tokens * size * PerSecond(() => nn.functional.scaled_dot_product_attention(q, q, q).Dispose()),
            MemoryBytesPerSecond = 8.0 * (16 << 20) * PerSecond(() => copy.copy_(big)),
        };
    }

    private static double PerSecond(Action action)
    {
        action();
        int rounds = 0;
        long started = Stopwatch.GetTimestamp();
        do
        {
            action();
            rounds++;
        } while (Stopwatch.GetElapsedTime(started).TotalSeconds < Seconds);
        return rounds / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
