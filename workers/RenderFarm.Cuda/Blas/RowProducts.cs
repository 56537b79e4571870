using System.Collections.Concurrent;
using RenderFarm.Cuda.Aten;
using static RenderFarm.Cuda.Native.CublasLt;
using static TorchSharp.torch;

namespace RenderFarm.Cuda.Blas;

/// <summary>What is done to a product's elements in float32 before they are rounded and written.</summary>
public enum Epilogue
{
    None = 1,
    Bias = 4,

    /// <summary>tanh-GELU of product + bias.</summary>
    BiasGelu = 36,
}

/// <summary>
/// Products of bf16 rows with weight matrices by cuBLASLt, accumulated in float32. libtorch's own way with a bias reads and
/// writes the result once more; here the bias, and GELU where it follows, cost nothing to speak of.
/// </summary>
public sealed unsafe class RowProducts : IDisposable
{
    private const long WorkspaceBytes = 4 << 20;

    private readonly nint _handle;
    private readonly Tensor _workspace;
    private readonly ConcurrentDictionary<Shape, Plan> _plans = new();

    public RowProducts()
    {
        Check(Create(out _handle), "cublasLtCreate");
        _workspace = empty([WorkspaceBytes], dtype: ScalarType.Byte, device: CUDA).DetachFromDisposeScope();
    }

    /// <summary>f(x·weightᵀ + bias): [rows, in] → [rows, out].</summary>
    /// <param name="x">bf16; rows may lie apart, the elements of a row lie together.</param>
    /// <param name="weight">bf16 [out, in], contiguous.</param>
    /// <param name="bias">bf16 [out]; null with <see cref="Epilogue.None"/> only.</param>
    public Tensor Apply(Tensor x, Tensor weight, Tensor? bias, Epilogue epilogue)
    {
        Require(x, weight, bias, epilogue);
        var result = empty([x.shape[0], weight.shape[0]], dtype: ScalarType.BFloat16, device: x.device);
        nint rows = AtenOps.DataPointer(x),
            matrix = AtenOps.DataPointer(weight),
            target = AtenOps.DataPointer(result),
            offsets = bias is null ? 0 : AtenOps.DataPointer(bias);
        var shape = new Shape(
            x.shape[0],
            weight.shape[0],
            weight.shape[1],
            x.stride(0),
            epilogue,
            Alignment(rows | matrix | target | offsets)
        );
        var plan = _plans.GetOrAdd(shape, Choose);
        float one = 1;
        float zero = 0;
        lock (plan)
        {
            if (bias is not null)
            {
                Check(
                    DescriptorSet(plan.Descriptor, DescriptorBias, &offsets, (nuint)sizeof(nint)),
                    "cublasLtMatmulDescSetAttribute(bias)"
                );
            }

            Check(
                Multiply(
                    _handle,
                    plan.Descriptor,
                    &one,
                    matrix,
                    plan.Weight,
                    rows,
                    plan.Rows,
                    &zero,
                    target,
                    plan.Result,
                    target,
                    plan.Result,
                    plan.Algorithm,
                    AtenOps.DataPointer(_workspace),
                    (nuint)WorkspaceBytes,
                    stream: 0
                ),
                $"cublasLtMatmul({shape})"
            );
        }
        return result;
    }

    public void Dispose()
    {
        foreach (var plan in _plans.Values)
        {
            plan.Dispose();
        }

        _plans.Clear();
        _workspace.Dispose();
        Check(Destroy(_handle), "cublasLtDestroy");
    }

    private static void Require(Tensor x, Tensor weight, Tensor? bias, Epilogue epilogue)
    {
        if (
            x.dtype != ScalarType.BFloat16
            || weight.dtype != ScalarType.BFloat16
            || (bias is not null && bias.dtype != ScalarType.BFloat16)
            || x.dim() != 2
            || x.stride(1) != 1
            || !weight.is_contiguous()
            || x.shape[1] != weight.shape[1]
        )
        {
            throw new ArgumentException(
                $"a product of {x.dtype} [{string.Join(", ", x.shape)}] with {weight.dtype} [{string.Join(", ", weight.shape)}]; bf16 rows "
                    + "and a contiguous bf16 weight of as many columns are needed",
                nameof(x)
            );
        }

        if (
            (bias is null) != (epilogue == Epilogue.None)
            || (bias is not null && (bias.numel() != weight.shape[0] || !bias.is_contiguous()))
        )
        {
            throw new ArgumentException(
                $"{epilogue} with {(bias is null ? "no bias" : $"a bias of {bias.numel()} for {weight.shape[0]} outputs")}",
                nameof(bias)
            );
        }
    }

    /// <summary>The power of two, at most 256, that all addresses are multiples of.</summary>
    private static int Alignment(nint addresses) => (int)Math.Min(256, addresses & -addresses);

    private Plan Choose(Shape shape)
    {
        var plan = new Plan(shape);
        Check(PreferenceCreate(out var preference), "cublasLtMatmulPreferenceCreate");
        try
        {
            ulong workspace = WorkspaceBytes;
            Check(
                PreferenceSet(preference, PreferenceWorkspace, &workspace, sizeof(ulong)),
                "cublasLtMatmulPreferenceSetAttribute(workspace)"
            );
            var alignment = (uint)shape.Alignment;
            foreach (var operand in new[] { PreferenceAlignmentA, PreferenceAlignmentB, PreferenceAlignmentC, PreferenceAlignmentD })
            {
                Check(PreferenceSet(preference, operand, &alignment, sizeof(uint)), "cublasLtMatmulPreferenceSetAttribute(alignment)");
            }

            Check(
                Heuristics(
                    _handle,
                    plan.Descriptor,
                    plan.Weight,
                    plan.Rows,
                    plan.Result,
                    plan.Result,
                    preference,
                    1,
                    out var best,
                    out var found
                ),
                $"cublasLtMatmulAlgoGetHeuristic({shape})"
            );
            if (found == 0)
            {
                throw new NotSupportedException($"cuBLASLt has no kernel for {shape}");
            }

            plan.Algorithm = best.Algorithm;
            return plan;
        }
        finally
        {
            Check(PreferenceDestroy(preference), "cublasLtMatmulPreferenceDestroy");
        }
    }

    private readonly record struct Shape(long Rows, long Out, long In, long RowStride, Epilogue Epilogue, int Alignment);

    /// <summary>The library thinks in columns: resultᵀ [out, rows] = (weightᵀ)ᵀ · xᵀ, with weightᵀ and xᵀ as they lie.</summary>
    private sealed class Plan : IDisposable
    {
        public readonly nint Descriptor,
            Weight,
            Rows,
            Result;
        public Algorithm Algorithm;

        public Plan(Shape shape)
        {
            Check(DescriptorCreate(out Descriptor, Compute32F, Real32F), "cublasLtMatmulDescCreate");
            var transposed = OperationT;
            var epilogue = (int)shape.Epilogue;
            Check(DescriptorSet(Descriptor, DescriptorTransposeA, &transposed, sizeof(int)), "cublasLtMatmulDescSetAttribute(transpose)");
            Check(DescriptorSet(Descriptor, DescriptorEpilogue, &epilogue, sizeof(int)), "cublasLtMatmulDescSetAttribute(epilogue)");
            Check(
                LayoutCreate(out Weight, RealBFloat16, (ulong)shape.In, (ulong)shape.Out, shape.In),
                "cublasLtMatrixLayoutCreate(weight)"
            );
            Check(
                LayoutCreate(out Rows, RealBFloat16, (ulong)shape.In, (ulong)shape.Rows, shape.RowStride),
                "cublasLtMatrixLayoutCreate(rows)"
            );
            Check(
                LayoutCreate(out Result, RealBFloat16, (ulong)shape.Out, (ulong)shape.Rows, shape.Out),
                "cublasLtMatrixLayoutCreate(result)"
            );
        }

        public void Dispose()
        {
            Check(LayoutDestroy(Result), "cublasLtMatrixLayoutDestroy(result)");
            Check(LayoutDestroy(Rows), "cublasLtMatrixLayoutDestroy(rows)");
            Check(LayoutDestroy(Weight), "cublasLtMatrixLayoutDestroy(weight)");
            Check(DescriptorDestroy(Descriptor), "cublasLtMatmulDescDestroy");
        }
    }
}
