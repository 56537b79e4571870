using System.Collections.Concurrent;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;

namespace RenderFarm.Inference.Kernels;

/// <summary>
/// Eight-bit attention: attention8_rows.cu, compiled for row lengths as these come up, and the kernels that attend: attention8.cu for
/// Hopper, attention8_mma.cu for every card since Ampere.
/// </summary>
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

    private static readonly (int, int) FirstWithFloat8 = (8, 9);

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

    private readonly Lazy<Common> _attendAnywhere = new(() => CompileCommon(compiler));

    /// <summary>Launched with a block for so many queries.</summary>
    public sealed record CommonKernel(CudaKernel Kernel, int Threads, int QueriesOfABlock);

    private sealed record Common(KernelModule Module, CommonKernel Kernel);

    /// <summary>
    /// What a block of attention8_mma.cu takes. One H200 at 32,760 tokens, 40 heads: 50.5 ms and 52.5 ms, in the order of the tilings; 53
    /// to 59 ms in ten others.
    /// </summary>
    private sealed record Tiling(int Warps, int Rows, int Keys)
    {
        private const int StagesOfKeys = 2;

        public static IReadOnlyList<Tiling> All { get; } = [new(8, 16, 128), new(8, 32, 64)];

        public int Threads => Warps * 32;

        public int Queries => Warps * Rows;

        /// <summary>Queries, a ring of tiles of k and v (in bf16), and room to begin at a multiple of a row.</summary>
        public int SharedBytes => (Queries * HeadDim) + (StagesOfKeys * Keys * HeadDim * 3) + HeadDim;

        public Dictionary<string, int> Constants =>
            new()
            {
                ["DIM"] = HeadDim,
                ["THREADS"] = Threads,
                ["WARPS"] = Warps,
                ["ROWS"] = Rows,
                ["KEYS"] = Keys,
                ["STAGES"] = StagesOfKeys,
            };
    }

    /// <param name="Threads">Of <paramref name="Queries"/>, which takes a row a block.</param>
    public sealed record RowKernels(
        CudaKernel Queries,
        int Threads,
        CudaKernel KeyMeans,
        CudaKernel KeyTiles,
        CudaKernel ValueMaxima,
        CudaKernel? ValueTiles
    );

    public CudaKernel Attend => _attend.Value.Kernel;

    /// <summary>By matrix instructions that every card since Ampere has, on v in bf16.</summary>
    public CommonKernel AttendAnywhere => _attendAnywhere.Value.Kernel;

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

        if (_attendAnywhere.IsValueCreated)
        {
            _attendAnywhere.Value.Module.Dispose();
        }
    }

    private static Common CompileCommon(KernelCompiler compiler)
    {
        var most = CudaDevice.MostSharedBytes;
        var tiling =
            Tiling.All.FirstOrDefault(tiling => tiling.SharedBytes <= most)
            ?? throw new InvalidOperationException(
                $"a block of this card has {most} bytes of shared memory at most, attention takes {Tiling.All[^1].SharedBytes}"
            );
        var module = compiler.Compile("attention8_mma", KernelSource.Of("attention8_mma.cu"), tiling.Constants);
        return new Common(module, new CommonKernel(module.Kernel("attend", tiling.SharedBytes), tiling.Threads, tiling.Queries));
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
                CudaDevice.ComputeCapability.CompareTo(FirstWithFloat8) >= 0 ? module.Kernel("value_tiles") : null
            )
        );
    }
}
