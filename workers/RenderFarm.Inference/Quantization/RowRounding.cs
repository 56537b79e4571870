using System.Buffers;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Quantization;

/// <summary>
/// Rows of bf16 or float32 to eight bits on this process's cores: bit for bit what <see cref="EightBits.QuantizeRows"/> makes of
/// them there, in one pass over the source and one over the result. A checkpoint is rounded as fast as memory brings it.
/// </summary>
public static unsafe class RowRounding
{
    private const int ChunkValues = 1 << 18;
    private const int Lanes = 32; // Bytes of one store
    private const int Sign = int.MinValue;
    private const int Infinity = 0x7F80_0000;

    /// <summary>Whether rows of this type can be read.</summary>
    public static bool Reads(ScalarType type) => type is ScalarType.BFloat16 or ScalarType.Float32;

    /// <param name="source">The first row.</param>
    /// <param name="into">Of the values: e4m3 or int8.</param>
    /// <param name="values">Rows of eight bits.</param>
    /// <param name="scales">Float32, one a row.</param>
    /// <param name="threads">How many at a time.</param>
    public static void Round(
        nint source,
        ScalarType type,
        long rows,
        int columns,
        ScalarType into,
        nint values,
        nint scales,
        int threads = 1
    )
    {
        if (!Reads(type))
        {
            throw new ArgumentOutOfRangeException(nameof(type), type, "is neither bf16 nor float32");
        }

        if (EightBits.MaxOf(into) is not { } max)
        {
            throw new ArgumentOutOfRangeException(nameof(into), into, "is no type of eight bits with scales");
        }

        var rowsAtATime = Math.Max(1, ChunkValues / Math.Max(1, columns));
        var chunks = checked((int)((rows + rowsAtATime - 1) / rowsAtATime));
        if (threads <= 1 || chunks <= 1)
        {
            for (var chunk = 0; chunk < chunks; chunk++)
            {
                Chunk(chunk);
            }

            return;
        }

        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = threads }, Chunk);

        void Chunk(int chunk)
        {
            var exact = ArrayPool<float>.Shared.Rent(columns);
            try
            {
                fixed (float* row = exact)
                {
                    var end = Math.Min(rows, (chunk + 1L) * rowsAtATime);
                    for (var at = (long)chunk * rowsAtATime; at < end; at++)
                    {
                        var largest = BitConverter.Int32BitsToSingle(Widened(source, type, at * columns, columns, row));
                        var scale = largest > 0 ? largest / (float)max : 1; // Not a number: as it is
                        ((float*)scales)[at] = scale;
                        Rounded(row, columns, 1 / scale, into, (sbyte*)values + at * columns);
                    }
                }
            }
            finally
            {
                ArrayPool<float>.Shared.Return(exact);
            }
        }
    }

    /// <summary>A row in float32, and the bits of its largest magnitude; magnitudes are ordered as their bits are.</summary>
    private static int Widened(nint source, ScalarType type, long first, int columns, float* row)
    {
        if (type == ScalarType.Float32)
        {
            new ReadOnlySpan<float>((float*)source + first, columns).CopyTo(new Span<float>(row, columns));
        }
        else
        {
            var halves = (ushort*)source + first;
            var at = 0;
            for (; at + Vector256<ushort>.Count <= columns; at += Vector256<ushort>.Count)
            {
                var (low, high) = Vector256.Widen(Vector256.Load(halves + at));
                (low << 16).Store((uint*)row + at);
                (high << 16).Store((uint*)row + at + Vector256<uint>.Count);
            }

            for (; at < columns; at++)
            {
                ((uint*)row)[at] = (uint)halves[at] << 16;
            }
        }

        return Largest((int*)row, columns);
    }

    private static int Largest(int* bits, int columns)
    {
        var most = Vector256<int>.Zero;
        var magnitude = Vector256.Create(~Sign);
        var at = 0;
        for (; at + Vector256<int>.Count <= columns; at += Vector256<int>.Count)
        {
            most = Vector256.Max(most, Vector256.Load(bits + at) & magnitude);
        }

        var largest = 0;
        for (var lane = 0; lane < Vector256<int>.Count; lane++)
        {
            largest = Math.Max(largest, most[lane]);
        }

        for (; at < columns; at++)
        {
            largest = Math.Max(largest, bits[at] & ~Sign);
        }

        return largest;
    }

    private static void Rounded(float* row, int columns, float factor, ScalarType into, sbyte* values)
    {
        var factors = Vector256.Create(factor);
        var at = 0;
        for (; at + Lanes <= columns; at += Lanes)
        {
            Four(row + at, factors, into).Store(values + at);
        }

        if (at == columns)
        {
            return;
        }

        var rest = stackalloc float[Lanes];
        var rounded = stackalloc sbyte[Lanes];
        new Span<float>(rest, Lanes).Clear();
        new ReadOnlySpan<float>(row + at, columns - at).CopyTo(new Span<float>(rest, Lanes));
        Four(rest, factors, into).Store(rounded);
        new ReadOnlySpan<sbyte>(rounded, columns - at).CopyTo(new Span<sbyte>(values + at, columns - at));
    }

    private static Vector256<sbyte> Four(float* from, Vector256<float> factors, ScalarType into)
    {
        return Vector256.Narrow(Vector256.Narrow(One(0), One(1)), Vector256.Narrow(One(2), One(3)));

        Vector256<int> One(int part)
        {
            var scaled = Vector256.Load(from + part * Vector256<float>.Count) * factors;
            return into == Int8.Type ? ToInt8(scaled) : ToFloat8(scaled);
        }
    }

    private static Vector256<int> ToInt8(Vector256<float> scaled)
    {
        var whole = Vector256.ConvertToInt32(Vector256.Round(scaled));
        return Vector256.Max(Vector256.Min(whole, Vector256.Create((int)Int8.Max)), Vector256.Create(-(int)Int8.Max));
    }

    /// <summary>
    /// To the nearest, ties to even. Adding a number whose last place is e4m3's least one rounds those below its normal range.
    /// </summary>
    private static Vector256<int> ToFloat8(Vector256<float> scaled)
    {
        const int LeastNormal = (127 - 6) << 23;
        const int RoundsSubnormals = (127 + 14) << 23;
        const int Rebias = (7 - 127) << 23;
        var bits = scaled.AsInt32();
        var magnitude = bits & Vector256.Create(~Sign);
        var isNumber = Vector256.LessThanOrEqual(magnitude, Vector256.Create(Infinity));
        magnitude = Vector256.Min(magnitude, Vector256.Create(BitConverter.SingleToInt32Bits((float)Float8.Max)));
        var subnormal =
            (magnitude.AsSingle() + Vector256.Create(RoundsSubnormals).AsSingle()).AsInt32() - Vector256.Create(RoundsSubnormals);
        var odd = (magnitude >> 20) & Vector256<int>.One;
        var normal = (magnitude + Vector256.Create(Rebias + 0x7_FFFF) + odd) >> 20;
        var rounded = Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(LeastNormal)), subnormal, normal);
        rounded = Vector256.ConditionalSelect(isNumber, rounded, Vector256.Create(0x7F));
        return rounded | Vector256.ShiftRightLogical(bits & Vector256.Create(Sign), 24);
    }
}
