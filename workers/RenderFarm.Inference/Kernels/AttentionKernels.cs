using System.Collections.Concurrent;
using RenderFarm.Cuda.Kernels;

namespace RenderFarm.Inference.Kernels;

/// <summary>Eight-bit attention: attention8_rows.cu, compiled for row lengths as these come up, and attention8.cu.</summary>
public sealed class AttentionKernels(KernelCompiler compiler) : IDisposable
{
    /// <summary>As the sources have them.</summary>
    public const int HeadDim = 128;
    public const int QueriesOfATile = 64;
    public const int QueriesOfABlock = 192;
    public const int KeysOfATile = 128;
    public const int ValuePart = 512;

    public const int AttendThreads = 512;
    public const int MeanThreads = 512;
    public const int KeyThreads = 512;
    public const int ValueThreads = 256;

    private const int Stages = 4;
    private const int Ones = 8;
    private const int Alignment = 1024;

    /// <summary>Queries of a block, a ring of tiles of k and v, and room to begin at a multiple of the swizzle's pattern.</summary>
    private const int SharedBytes = (QueriesOfABlock * HeadDim) + (Stages * KeysOfATile * ((2 * HeadDim) + Ones)) + Alignment;

    private readonly ConcurrentDictionary<int, Lazy<(KernelModule Module, RowKernels Kernels)>> _rows = new();
    private readonly Lazy<(KernelModule Module, CudaKernel Kernel)> _attend = new(() =>
    {
        var module = compiler.Compile(
            "attention8",
            KernelSource.Of("attention8.cu"),
            new Dictionary<string, int> { ["DIM"] = HeadDim, ["THREADS"] = AttendThreads },
            architectureSpecific: true
        );
        return (module, module.Kernel("attend", SharedBytes));
    });

    /// <param name="Threads">Of <paramref name="Queries"/>, which takes a row a block.</param>
    public sealed record RowKernels(
        CudaKernel Queries,
        int Threads,
        CudaKernel KeyMeans,
        CudaKernel KeyTiles,
        CudaKernel ValueMaxima,
        CudaKernel ValueTiles
    );

    public CudaKernel Attend => _attend.Value.Kernel;

    /// <summary>For rows of so many channels, all heads together.</summary>
    public RowKernels Rows(int dim) => _rows.GetOrAdd(dim, _ => new(() => CompileRows(dim))).Value.Kernels;

    public void Dispose()
    {
        foreach (var rows in _rows.Values)
        {
            rows.Value.Module.Dispose();
        }
        _rows.Clear();
        if (_attend.IsValueCreated)
        {
            _attend.Value.Module.Dispose();
        }
    }

    private (KernelModule Module, RowKernels Kernels) CompileRows(int dim)
    {
        var threads = TokenKernels.ThreadsFor(dim / 8);
        var module = compiler.Compile(
            "attention8_rows",
            KernelSource.Of("attention8_rows.cu"),
            new Dictionary<string, int> { ["DIM"] = dim, ["THREADS"] = threads }
        );
        return (
            module,
            new RowKernels(
                module.Kernel("queries"),
                threads,
                module.Kernel("key_means"),
                module.Kernel("key_tiles"),
                module.Kernel("value_maxima"),
                module.Kernel("value_tiles")
            )
        );
    }
}
