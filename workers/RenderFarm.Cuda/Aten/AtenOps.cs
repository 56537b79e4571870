using RenderFarm.Cuda.Native;
using static TorchSharp.torch;

namespace RenderFarm.Cuda.Aten;

/// <summary>ATen operators that TorchSharp does not bind.</summary>
public static unsafe class AtenOps
{
    /// <summary>Float8 with 4 exponent and 3 mantissa bits, no infinities; TorchSharp has no name for it.</summary>
    public const ScalarType Float8E4M3 = (ScalarType)24;

    /// <summary>The same bytes read as another type. The last dimension must be contiguous and divide.</summary>
    public static Tensor ViewAs(Tensor tensor, ScalarType type)
    {
        Span<ulong> places = stackalloc ulong[2];
        return new AtenStack("aten::view", "dtype", places).Push(tensor).Push(type).Call();
    }

    /// <summary>
    /// Product of float8 matrices, accumulated in float32: out[m, n] = Σ a[m, k]·b[k, n] · scaleA[m]·scaleB[n] + bias[n].
    /// </summary>
    /// <param name="a">e4m3 [M, K], row-major.</param>
    /// <param name="b">e4m3 [K, N], column-major: the transpose of a row-major weight [N, K].</param>
    /// <param name="scaleA">Float32 [M, 1], or one element.</param>
    /// <param name="scaleB">Float32 [1, N], or one element.</param>
    /// <param name="bias">[N] in the output's type.</param>
    public static Tensor ScaledMm(Tensor a, Tensor b, Tensor scaleA, Tensor scaleB, Tensor? bias, ScalarType output = ScalarType.BFloat16)
    {
        Span<ulong> places = stackalloc ulong[8];
        return new AtenStack("aten::_scaled_mm", "", places)
            .Push(a)
            .Push(b)
            .Push(scaleA)
            .Push(scaleB)
            .PushOptional(bias)
            .PushNone() // scale_result
            .Push(output, optional: true)
            .Push(true) // use_fast_accum
            .Call();
    }

    /// <summary>Product of int8 matrices, summed in int32: out[m, n] = Σ a[m, k]·b[k, n]. On a card more than sixteen rows.</summary>
    /// <param name="a">int8 [M, K], row-major; K a multiple of 8.</param>
    /// <param name="b">int8 [K, N], column-major: the transpose of a row-major weight [N, K]; N a multiple of 8.</param>
    public static Tensor IntMm(Tensor a, Tensor b)
    {
        Span<ulong> places = stackalloc ulong[2];
        return new AtenStack("aten::_int_mm", "", places).Push(a).Push(b).Call();
    }

    public static Tensor Relu(Tensor tensor)
    {
        Span<ulong> places = stackalloc ulong[1];
        return new AtenStack("aten::relu", "", places).Push(tensor).Call();
    }

    /// <summary>Address of the first element, on the tensor's device.</summary>
    public static nint DataPointer(Tensor tensor)
    {
        if (StableAten.DataPointer(tensor.Handle, out var pointer) != 0)
        {
            throw new InvalidOperationException($"no data pointer of {tensor.dtype} [{string.Join(", ", tensor.shape)}]");
        }

        return pointer;
    }

    /// <summary>A tensor over memory that somebody else owns and keeps alive longer.</summary>
    public static Tensor FromMemory(nint address, ReadOnlySpan<long> shape, ScalarType type, Device device)
    {
        Span<long> strides = stackalloc long[shape.Length];
        long stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
        fixed (
            long* sizes = shape,
                steps = strides
        )
        {
            var status = StableAten.FromBlob(
                address,
                shape.Length,
                sizes,
                steps,
                0,
                (int)type,
                (int)device.type,
                Math.Max(device.index, 0),
                out var handle,
                0,
                null,
                0
            );
            if (status != 0)
            {
                throw new InvalidOperationException(
                    $"no tensor over memory at {address:x} as {type} [{string.Join(", ", shape.ToArray())}]"
                );
            }

            return Tensor.UnsafeCreateTensor(handle);
        }
    }
}
