using System.Collections.Concurrent;
using RenderFarm.Cuda.Blas;
using RenderFarm.Cuda.Kernels;

namespace RenderFarm.Inference.Kernels;

/// <summary>
/// The sources of this folder, compiled for row lengths as these come up. A kernel handles one row a block, its threads
/// holding the row in registers: four to five vectors each, so the number of threads follows from the row's length.
/// </summary>
public sealed class TokenKernels(KernelCompiler compiler) : IDisposable
{
    private const int MostVectorsPerThread = 5;
    private const int MostThreads = 1024;

    private readonly ConcurrentDictionary<Variant, (KernelModule Module, int Threads)> _modules = new();

    private readonly Lazy<RowProducts> _products = new(() => new RowProducts());
    private readonly Lazy<AttentionKernels> _attention = new(() => new AttentionKernels(compiler));
    private readonly Lazy<FrameKernels> _frames = new(() => new FrameKernels(compiler));

    /// <summary>What runs between the kernels of this folder.</summary>
    public RowProducts Products => _products.Value;

    /// <summary>Those of eight-bit attention; compiled when first asked for.</summary>
    public AttentionKernels Attention => _attention.Value;

    /// <summary>Those of a VAE's frames; compiled when first asked for.</summary>
    public FrameKernels Frames => _frames.Value;

    private readonly record struct Variant(string Source, int Dim, int Head, bool Gelu, bool Int8);

    /// <summary>Ready to launch with one block a row.</summary>
    public readonly record struct RowKernel(CudaKernel Kernel, int Threads);

    /// <summary>norm.cu: float32 rows, four at a time.</summary>
    /// <param name="int8">Rows that are rounded become int8; otherwise e4m3.</param>
    public RowKernel Norm(string function, int dim, bool int8 = false) => Get("norm.cu", function, dim, vector: 4, int8: int8);

    /// <summary>rope.cu: bf16 rows, eight at a time.</summary>
    public RowKernel Rope(int dim, int head) => Get("rope.cu", "rms_norm_rope", dim, vector: 8, head: head);

    /// <summary>quantize.cu: bf16 rows, eight at a time.</summary>
    public RowKernel Quantize(string function, int dim, bool gelu = false, bool int8 = false) =>
        Get("quantize.cu", function, dim, vector: 8, gelu: gelu, int8: int8);

    public void Dispose()
    {
        foreach (var (module, _) in _modules.Values)
        {
            module.Dispose();
        }

        _modules.Clear();
        if (_attention.IsValueCreated)
        {
            _attention.Value.Dispose();
        }

        if (_frames.IsValueCreated)
        {
            _frames.Value.Dispose();
        }

        if (_products.IsValueCreated)
        {
            _products.Value.Dispose();
        }
    }

    /// <summary>Whole warps, for a row of so many vectors.</summary>
    internal static int ThreadsFor(int vectors) =>
        (Math.Min(MostThreads, (vectors + MostVectorsPerThread - 1) / MostVectorsPerThread) + 31) / 32 * 32;

    private RowKernel Get(string source, string function, int dim, int vector, int head = 0, bool gelu = false, bool int8 = false)
    {
        if (dim % 8 != 0)
        {
            throw new ArgumentException($"rows of {dim} elements; the kernels take multiples of 8", nameof(dim));
        }

        var threads = ThreadsFor(dim / vector);
        var (module, _) = _modules.GetOrAdd(
            new Variant(source, dim, head, gelu, int8),
            _ =>
                (
                    compiler.Compile(
                        Path.GetFileNameWithoutExtension(source),
                        KernelSource.Of(source),
                        new Dictionary<string, int>
                        {
                            ["DIM"] = dim,
                            ["THREADS"] = threads,
                            ["HEAD"] = head,
                            ["GELU"] = gelu ? 1 : 0,
                            ["INT8"] = int8 ? 1 : 0,
                        }
                    ),
                    threads
                )
        );
        return new RowKernel(module.Kernel(function), threads);
    }
}
