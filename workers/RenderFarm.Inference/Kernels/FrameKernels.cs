using System.Collections.Concurrent;
using System.Numerics;
using RenderFarm.Cuda.Kernels;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Kernels;

/// <summary>
/// frames.cu, compiled for types and numbers of channels as these come up: what lies between the convolutions of a VAE, on bf16 or fp16
/// frames whose channels are innermost in memory.
/// </summary>
public sealed class FrameKernels(KernelCompiler compiler) : IDisposable
{
    private const int Threads = 256;
    private const int WarpSize = 32;
    private const int Vector = 8;

    /// <summary>How many frames a window holds.</summary>
    public const int Window = 3;

    private readonly ConcurrentDictionary<(int Channels, ScalarType Type), Lazy<Compiled>> _compiled = new();

    private sealed record Compiled(
        KernelModule Module,
        CudaKernel Windows,
        CudaKernel Add,
        CudaKernel Enlarge,
        CudaKernel AddDuplicated,
        int Lanes
    );

    public static bool Takes(ScalarType type) => type is ScalarType.BFloat16 or ScalarType.Float16;

    /// <summary>Channels are read eight at a time.</summary>
    public static bool Takes(long channels) => channels % Vector == 0;

    /// <summary>
    /// Each frame beside the two before it, [F, H, W, C] → [F, H, W, 3·C]. Where <paramref name="gamma"/> [C, ..] is given, bias (if any)
    /// is added first, each position's channels are brought to length √C, scaled by gamma, and go through SiLU.
    /// </summary>
    /// <param name="kept">[2, H, W, C]: what was before the first frame; replaced by the last two frames of this.</param>
    /// <param name="room">Memory for the result, in one dimension; of its own where there is none or too little.</param>
    public Tensor Windows(Tensor x, Tensor? bias, Tensor? gamma, Tensor kept, Tensor? room = null)
    {
        var (frames, pixels, channels) = Sizes(x);
        var kernels = For(channels, x);
        var windows = Placed([.. x.shape[..^1], Window * channels], x, room);
        var pixelsABlock = Threads / kernels.Lanes;
        kernels.Windows.Launch(
            ((pixels + pixelsABlock - 1) / pixelsABlock, 1),
            Threads,
            Pointer(x),
            Pointer(bias),
            Pointer(gamma),
            Pointer(kept),
            Pointer(windows),
            checked((int)pixels),
            (int)frames
        );
        return windows;
    }

    /// <summary>y += bias, and x where it is given; in place, [F, H, W, C].</summary>
    public void Add(Tensor y, Tensor bias, Tensor? x)
    {
        var (_, _, channels) = Sizes(y);
        if (x is not null && Sizes(x) != Sizes(y))
        {
            throw new ArgumentException($"[{string.Join(", ", x.shape)}] can't be added to [{string.Join(", ", y.shape)}]", nameof(x));
        }

        var vectors = y.numel() / Vector;
        For(channels, y).Add.Launch((Blocks(vectors), 1), Threads, Pointer(y), Pointer(bias), Pointer(x), vectors);
    }

    /// <summary>
    /// Each pixel becomes four, [F, H, W, streams·C] → [streams·F, 2H, 2W, C]; frames that lie side by side in the channels come one
    /// after the other.
    /// </summary>
    /// <param name="bias">[streams·C], added first.</param>
    /// <param name="room">As for <see cref="Windows"/>.</param>
    public Tensor Enlarge(Tensor x, Tensor? bias, int streams, Tensor? room = null)
    {
        var (frames, pixels, all) = Sizes(x);
        var (height, width, channels) = (x.shape[1], x.shape[2], all / streams);
        var enlarged = Placed([frames * streams, 2 * height, 2 * width, channels], x, room);
        var vectors = x.numel() / Vector;
        For(channels, x)
            .Enlarge.Launch(
                (Blocks(vectors), 1),
                Threads,
                Pointer(x),
                Pointer(bias),
                Pointer(enlarged),
                checked((int)pixels),
                (int)width,
                streams,
                vectors
            );
        return enlarged;
    }

    /// <summary>
    /// y += x, whose channels are repeated and unfolded into <paramref name="times"/> frames, two rows and two columns each; in place.
    /// </summary>
    /// <param name="y">[times·F − skip, 2H, 2W, C']</param>
    /// <param name="x">[F, H, W, C]</param>
    /// <param name="skip">Frames left out at the start.</param>
    public void AddDuplicated(Tensor y, Tensor x, int times, int skip)
    {
        var (frames, _, channels) = Sizes(x);
        var (made, _, outChannels) = Sizes(y);
        if (made != (frames * times) - skip || y.shape[1] != 2 * x.shape[1] || y.shape[2] != 2 * x.shape[2])
        {
            throw new ArgumentException($"[{string.Join(", ", x.shape)}] does not unfold to [{string.Join(", ", y.shape)}]", nameof(x));
        }

        var vectors = y.numel() / Vector;
        For(outChannels, y)
            .AddDuplicated.Launch(
                (Blocks(vectors), 1),
                Threads,
                Pointer(y),
                Pointer(x),
                (int)channels,
                (int)x.shape[1],
                (int)x.shape[2],
                times,
                skip,
                vectors
            );
    }

    public void Dispose()
    {
        foreach (var compiled in _compiled.Values)
        {
            compiled.Value.Module.Dispose();
        }

        _compiled.Clear();
    }

    private static Tensor Placed(long[] shape, Tensor like, Tensor? room)
    {
        var count = shape.Aggregate(1L, (product, size) => product * size);
        if (room is null || room.numel() < count)
        {
            return empty(shape, dtype: like.dtype, device: like.device);
        }

        using var part = room.narrow(0, 0, count);
        return part.view(shape);
    }

    private static long Blocks(long vectors) => (vectors + Threads - 1) / Threads;

    private static (long Frames, long Pixels, long Channels) Sizes(Tensor x) =>
        Takes(x.dtype) && x.dim() == 4 && x.is_contiguous() && Takes(x.shape[3])
            ? (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
            : throw new ArgumentException(
                $"{x.dtype} [{string.Join(", ", x.shape)}] with strides [{string.Join(", ", x.stride())}]; contiguous bf16 or fp16 frames "
                    + $"[F, H, W, C], C a multiple of {Vector}, are needed",
                nameof(x)
            );

    private static nint Pointer(Tensor? tensor) => tensor is null ? 0 : Cuda.Aten.AtenOps.DataPointer(tensor);

    private Compiled For(long channels, Tensor frames) =>
        _compiled.GetOrAdd(((int)channels, frames.dtype), key => new(() => Compile(key.Channels, key.Type))).Value;

    private Compiled Compile(int dim, ScalarType type)
    {
        // As many threads a pixel as share its vectors evenly
        var lanes = Math.Min(WarpSize, 1 << BitOperations.TrailingZeroCount(dim / Vector));
        var module = compiler.Compile(
            "frames",
            KernelSource.Of("frames.cu"),
            new Dictionary<string, int>
            {
                ["DIM"] = dim,
                ["THREADS"] = Threads,
                ["LANES"] = lanes,
                ["HALF"] = type == ScalarType.Float16 ? 1 : 0,
            }
        );
        return new(
            module,
            module.Kernel("windows"),
            module.Kernel("add"),
            module.Kernel("enlarge"),
            module.Kernel("add_duplicated"),
            lanes
        );
    }
}
