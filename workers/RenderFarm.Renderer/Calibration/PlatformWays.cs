using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Cuda.Memory;
using RenderFarm.Cuda.Native;
using RenderFarm.Cuda.Ways;
using RenderFarm.Hosting.Folders;
using RenderFarm.Inference.BlockStreaming;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>What this platform may lack, tried: what is done instead, at what price. <see cref="ForcedWay"/> has it lacking.</summary>
internal static class PlatformWays
{
    private const string SharedMemory = "/dev/shm";

    /// <summary>bf16 keeps eight bits.</summary>
    private const double ConvolutionError = 0.02;

    /// <summary>Of the rate of a matrix product, which a sound library passes by far.</summary>
    private const double SlowShare = 0.05;

    private const double ConvolutionSeconds = 0.4;

    public static IReadOnlyList<PlatformWay> Try() => [PageLocks(), Allocator(), Kernels(), Conv3d()];

    private static PlatformWay PageLocks()
    {
        // Where prepared weights would lie: a container's shared memory is too small for them
        var folder = FreeSpace.OfDisks.BytesFor(SharedMemory) >= PageLockTrial.Bytes ? SharedMemory : Path.GetTempPath();
        try
        {
            var trial = PageLockTrial.Run(folder);
            var rate = string.Create(CultureInfo.InvariantCulture, $"{trial.BytesPerSecond / 1e9:0.0} GB/s to the card");
            return new PlatformWay(
                ForcedWay.StagedPages.Subject,
                trial.Way switch
                {
                    PageLocking.ReadOnly => $"read-only mappings are page-locked; {rate}",
                    PageLocking.ReadWrite => $"only writable mappings can be page-locked: three times as long at a render's start; {rate}",
                    _ => $"mappings can't be page-locked: weights go through a page-locked ring of 64 MiB; {rate}",
                },
                trial.Way == PageLocking.ReadOnly
            );
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CudaException)
        {
            return new PlatformWay(ForcedWay.StagedPages.Subject, $"could not be tried in {folder}: {fault.Message}", IsUsual: false);
        }
    }

    private static PlatformWay Allocator() =>
        DeviceAllocator.WhyNative is { } reason
            ? new PlatformWay(
                ForcedWay.NativeAllocator.Subject,
                $"libtorch's own allocator ({reason}): it keeps one stage's memory for the next, so peaks may exceed plans until "
                    + "measured runs correct them",
                IsUsual: false
            )
            : new PlatformWay(ForcedWay.NativeAllocator.Subject, "tensors come from the device's own pool", IsUsual: true);

    private static PlatformWay Kernels()
    {
        var target = CompileTarget.OfCard();
        return new PlatformWay(
            ForcedWay.Ptx.Subject,
            target.IsPtx
                ? $"compiled for compute capability {target.Architecture / 10}.{target.Architecture % 10}, and from there by the driver: "
                    + "the run-time compiler knows no card as new as this one, whose own instructions are not used"
                : "compiled for this card",
            !target.IsPtx
        );
    }

    /// <summary>The VAE's work where its features don't fit fp16: some versions of cuDNN do it wrongly, or far too slowly.</summary>
    private static PlatformWay Conv3d()
    {
        try
        {
            return TimeConv3d();
        }
        catch (ExternalException fault)
        {
            var reason = fault.Message.Split('\n')[0];
            return new PlatformWay(ForcedWay.BrokenConvolutions.Subject, $"bf16 convolutions fail: {reason}", IsUsual: false);
        }
    }

    private static PlatformWay TimeConv3d()
    {
        using var scope = NewDisposeScope();
        const int Channels = 192;
        // Channels innermost, as the VAE has them
        static Tensor Random(double scale, params long[] size) =>
            (randn(size, dtype: ScalarType.BFloat16, device: CUDA) * scale).permute(0, 4, 1, 2, 3);
        var weight = Random(0.02, Channels, 3, 3, 3, Channels);
        var few = Random(1, 1, 4, 18, 18, Channels);
        var (actual, exact) = (
            nn.functional.conv3d(few, weight).to(ScalarType.Float32),
            nn.functional.conv3d(few.to(ScalarType.Float32), weight.to(ScalarType.Float32))
        );
        double error = ((actual - exact).norm() / exact.norm()).item<float>();
        if (ForcedWay.BrokenConvolutions.IsForced || !(error <= ConvolutionError))
        {
            return new PlatformWay(
                ForcedWay.BrokenConvolutions.Subject,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"bf16 convolutions of this cuDNN are off by {error:0.0e+0}: videos whose features fp16 does not hold come out wrong; "
                        + $"another PyTorch has another cuDNN"
                ),
                IsUsual: false
            );
        }

        var many = Random(1, 1, 6, 122, 210, Channels);
        var flops = 2.0 * Channels * Channels * 27 * 4 * 120 * 208;
        var convolution = flops * PerSecond(() => nn.functional.conv3d(many, weight).Dispose());
        const int Size = 4096;
        var matrix = randn([Size, Size], dtype: ScalarType.BFloat16, device: CUDA);
        var product = 2.0 * Size * Size * Size * PerSecond(() => matrix.matmul(matrix).Dispose());
        var rates = string.Create(
            CultureInfo.InvariantCulture,
            $"bf16 convolutions at {convolution / 1e12:0.#} TFLOP/s, products at {product / 1e12:0.#}"
        );
        return ForcedWay.SlowConvolutions.IsForced || convolution < product * SlowShare
            ? new PlatformWay(
                ForcedWay.BrokenConvolutions.Subject,
                $"{rates}: this cuDNN is slow at them, and decoding with it; another PyTorch has another cuDNN",
                IsUsual: false
            )
            : new PlatformWay(ForcedWay.BrokenConvolutions.Subject, rates, IsUsual: true);
    }

    private static double PerSecond(Action action)
    {
        action();
        CudaDevice.Synchronize();
        var rounds = 0;
        var started = Stopwatch.GetTimestamp();
        do
        {
            action();
            CudaDevice.Synchronize();
            rounds++;
        } while (Stopwatch.GetElapsedTime(started).TotalSeconds < ConvolutionSeconds);
        return rounds / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
