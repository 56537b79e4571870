using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Blas;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.Kernels;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// What <see cref="PlainTokenOps"/> defines, one kernel for each. x is updated in place; dense rows are bf16. Samples of a
/// batch share their modulation; with one sample it may have two runs of tokens.
/// </summary>
public sealed class FusedTokenOps(TokenKernels kernels) : ITokenOps
{
    /// <summary>For the linears whose rows these are.</summary>
    public RowProducts Products => kernels.Products;

    public Activation Norm(Tensor x, NormAffine affine, RowFormat format) => ResidualNorm(x, y: null, gate: null, affine, format);

    public (Tensor X, Activation Normed) AddNorm(Tensor x, Tensor y, PerRun? gate, NormAffine affine, RowFormat format) =>
        (x.alias(), ResidualNorm(x, y, gate, affine, format));

    public Tensor Add(Tensor x, Tensor y, PerRun? gate)
    {
        var (rows, dim) = Rows(x, ScalarType.Float32);
        Rows(y, ScalarType.BFloat16);
        using var gates = gate?.Rows.contiguous();
        var kernel = kernels.Norm("residual_add", dim);
        kernel.Kernel.Launch((rows, 1), kernel.Threads, Pointer(x), Pointer(y), Pointer(gates), Split(gate, x));
        return x.alias();
    }

    public Tensor NormRotate(Tensor x, Tensor weight, double epsilon, int heads, Tensor? angles)
    {
        var dim = (int)x.shape[^1];
        var rows = x.shape[0] * x.shape[1];
        if (x.dtype != ScalarType.BFloat16 || x.stride(2) != 1)
        {
            throw new ArgumentException($"rows of {x.dtype} with stride {x.stride(2)}; bf16 rows are needed", nameof(x));
        }

        var kernel = kernels.Rope(dim, dim / heads);
        kernel.Kernel.Launch(
            (rows, 1),
            kernel.Threads,
            Pointer(x),
            (nint)0,
            Pointer(weight),
            (nint)0,
            x.stride(1),
            (float)epsilon,
            Pointer(angles),
            (int)x.shape[1]
        );
        return x.unflatten(2, heads, dim / heads);
    }

    public Activation Rows(Tensor x, RowFormat format) =>
        format == RowFormat.Dense ? new Activation(x.alias()) : Quantize(x, format, gelu: false);

    public Activation Gelu(Tensor x, RowFormat format)
    {
        using (x)
        {
            if (format != RowFormat.Dense)
            {
                return Quantize(x, format, gelu: true);
            }

            var (rows, dim) = Rows(x, ScalarType.BFloat16);
            var kernel = kernels.Quantize("gelu_rows", dim);
            kernel.Kernel.Launch((rows, 1), kernel.Threads, Pointer(x), (long)dim);
            return new Activation(x.alias());
        }
    }

    /// <summary>Rows of bf16 to eight bits with a scale a row; also quantises weights, whose rows are output channels.</summary>
    public Activation Quantize(Tensor x, RowFormat format, bool gelu)
    {
        var (rows, dim) = Rows(x, ScalarType.BFloat16);
        var values = empty(x.shape, dtype: TypeOf(format), device: x.device);
        var scales = empty([.. x.shape[..^1], 1], dtype: ScalarType.Float32, device: x.device);
        var kernel = kernels.Quantize("quantize_rows", dim, gelu, format == RowFormat.Int8);
        kernel.Kernel.Launch((rows, 1), kernel.Threads, Pointer(x), (long)dim, Pointer(values), Pointer(scales));
        return new Activation(values, scales);
    }

    /// <summary>Eight-bit weights [out, in] and scales [out, 1] up to bf16.</summary>
    public Tensor CastUp(Tensor values, Tensor scales)
    {
        var dense = empty(values.shape, dtype: ScalarType.BFloat16, device: values.device);
        var kernel = kernels.Quantize("dequantize_rows", (int)values.shape[1], int8: values.dtype == ScalarType.Int8);
        kernel.Kernel.Launch(
            (values.shape[0], 1),
            kernel.Threads,
            Pointer(values),
            Pointer(scales),
            scales.numel() > 1 ? 1 : 0,
            Pointer(dense)
        );
        return dense;
    }

    /// <summary>Sums of int8 products to bf16: out[m, n] = sums[m, n] · rows[m] · columns[n] + bias[n].</summary>
    /// <param name="sums">int32 [m, n].</param>
    /// <param name="rowScales">Float32 [m, 1].</param>
    /// <param name="columnScales">Float32 [n, 1].</param>
    /// <param name="bias">bf16 [n], or none.</param>
    /// <param name="output">bf16 [m, n], written.</param>
    public void ScaleSums(Tensor sums, Tensor rowScales, Tensor columnScales, Tensor? bias, Tensor output)
    {
        var (rows, dim) = Rows(sums, ScalarType.Int32);
        Rows(output, ScalarType.BFloat16);
        var kernel = kernels.Quantize("scale_sums", dim);
        kernel.Kernel.Launch(
            (rows, 1),
            kernel.Threads,
            Pointer(sums),
            Pointer(rowScales),
            Pointer(columnScales),
            Pointer(bias),
            Pointer(output)
        );
    }

    private static ScalarType TypeOf(RowFormat format) =>
        format switch
        {
            RowFormat.Float8 => AtenOps.Float8E4M3,
            RowFormat.Int8 => ScalarType.Int8,
            _ => ScalarType.BFloat16,
        };

    private Activation ResidualNorm(Tensor x, Tensor? y, PerRun? gate, NormAffine affine, RowFormat format)
    {
        var (rows, dim) = Rows(x, ScalarType.Float32);
        if (y is not null)
        {
            Rows(y, ScalarType.BFloat16);
        }

        var rounds = format != RowFormat.Dense;
        var values = empty(x.shape, dtype: TypeOf(format), device: x.device);
        var scales = rounds ? empty([.. x.shape[..^1], 1], dtype: ScalarType.Float32, device: x.device) : null;
        using var gates = gate?.Rows.contiguous();
        using var factors = affine.Scale.Rows.contiguous();
        using var shifts = affine.Shift.Rows.contiguous();
        var kernel = kernels.Norm("residual_norm", dim, format == RowFormat.Int8);
        kernel.Kernel.Launch(
            (rows, 1),
            kernel.Threads,
            Pointer(x),
            Pointer(y),
            Pointer(gates),
            Pointer(factors),
            Pointer(shifts),
            affine.AddsOne ? 1f : 0f,
            (float)affine.Epsilon,
            Split(affine.Scale, x),
            rounds ? (nint)0 : Pointer(values),
            rounds ? Pointer(values) : (nint)0,
            Pointer(scales)
        );
        return new Activation(values, scales);
    }

    /// <summary>The first token that takes the second row.</summary>
    private static int Split(PerRun? modulation, Tensor x)
    {
        if (modulation is not { } rows)
        {
            return int.MaxValue;
        }

        if (rows.Rows.shape[0] != 1)
        {
            throw new NotSupportedException($"a modulation for each of {rows.Rows.shape[0]} samples; the fused kernels take one for all");
        }

        if (rows.Runs.Count == 1)
        {
            return int.MaxValue;
        }

        if (rows.Runs.Count > 2 || x.shape[0] > 1)
        {
            throw new NotSupportedException(
                $"{rows.Runs.Count} runs of timesteps in {x.shape[0]} samples; the fused kernels take two in one sample"
            );
        }

        return (int)Math.Min(rows.Runs[0], int.MaxValue);
    }

    private static (long Rows, int Dim) Rows(Tensor x, ScalarType type)
    {
        if (x.dtype != type || !x.is_contiguous())
        {
            throw new ArgumentException($"{x.dtype} [{string.Join(", ", x.shape)}]; contiguous {type} is needed", nameof(x));
        }

        return (x.numel() / x.shape[^1], (int)x.shape[^1]);
    }

    private static KernelArgument Pointer(Tensor? tensor) => tensor is null ? (nint)0 : AtenOps.DataPointer(tensor);
}
