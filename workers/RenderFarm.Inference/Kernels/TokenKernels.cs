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

    private readonly ConcurrentDictionary<(string Source, int Dim, int Head, bool Gelu), (KernelModule Module, int Threads)> _modules =
        new();

    private readonly Lazy<RowProducts> _products = new(() => new RowProducts());
    private readonly Lazy<AttentionKernels> _attention = new(() => new AttentionKernels(compiler));
    private readonly Lazy<FrameKernels> _frames = new(() => new FrameKernels(compiler));

    /// <summary>What runs between the kernels of this folder.</summary>
    public RowProducts Products => _products.Value;

    /// <summary>Those of eight-bit attention; compiled when first asked for.</summary>
    public AttentionKernels Attention => _attention.Value;

    /// <summary>Those of a VAE's frames; compiled when first asked for.</summary>
    public FrameKernels Frames => _frames.Value;

    /// <summary>Ready to launch with one block a row.</summary>
    public readonly record struct RowKernel(CudaKernel Kernel, int Threads);

    /// <summary>norm.cu: float32 rows, four at a time.</summary>
    public RowKernel Norm(string function, int dim) => Get("norm.cu", function, dim, vector: 4);

    /// <summary>rope.cu: bf16 rows, eight at a time.</summary>
    public RowKernel Rope(int dim, int head) => Get("rope.cu", "rms_norm_rope", dim, vector: 8, head: head);

    /// <summary>quantize.cu: bf16 rows, eight at a time.</summary>
    public RowKernel Quantize(string function, int dim, bool gelu = false) => Get("quantize.cu", function, dim, vector: 8, gelu: gelu);

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

    private RowKernel Get(string source, string function, int dim, int vector, int head = 0, bool gelu = false)
    {
        if (dim % 8 != 0)
        {
            throw new ArgumentException($"rows of {dim} elements; the kernels take multiples of 8", nameof(dim));
        }

        var threads = ThreadsFor(dim / vector);
        var (module, _) = _modules.GetOrAdd(
            (source, dim, head, gelu),
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
                        }
                    ),
                    threads
                )
        );
        return new RowKernel(module.Kernel(function), threads);
    }
}
