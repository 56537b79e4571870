using RenderFarm.Cuda.Aten;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Quantization;

/// <summary>The cores' own rounding against its definition in tensors, byte for byte.</summary>
public sealed class RowRoundingTests
{
    public static TheoryData<ScalarType, ScalarType, int, int> Kinds()
    {
        var kinds = new TheoryData<ScalarType, ScalarType, int, int>();
        foreach (var type in new[] { ScalarType.BFloat16, ScalarType.Float32 })
        {
            foreach (var into in new[] { Float8.Type, Int8.Type })
            {
                foreach (var columns in new[] { 1, 7, 32, 33, 640, 5000 })
                {
                    kinds.Add(type, into, columns, 1);
                }

                kinds.Add(type, into, 5000, 3);
            }
        }

        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Round_RowsOfAnyScale_IsWhatTensorsGive(ScalarType type, ScalarType into, int columns, int threads)
    {
        using var scope = NewDisposeScope();
        manual_seed(columns);
        var rows = threads > 1 ? 200 : 11;
        // Some of each row lie in e4m3's subnormals, one row is zeros
        var x = randn(rows, columns) * pow(10.0, randn(rows, columns)) * logspace(-12, 12, rows).view(rows, 1);
        x[3] = zeros(columns);
        x = x.to(type);

        Same(x, into, threads);
    }

    [Fact]
    public void Round_HalfwayBetweenTwo_GoesToTheEvenOne()
    {
        using var scope = NewDisposeScope();
        // The largest keeps the scale at 1: every magnitude of e4m3 and the halves between them, down into the subnormals
        var magnitudes = tensor(
            Enumerable.Range(0, 2 * 126).Select(i => (float)((Magnitude(i / 2) + Magnitude((i + 1) / 2)) / 2)).ToArray()
        );
        Same(cat([magnitudes, -magnitudes, tensor([448f])], 0).unsqueeze(0), Float8.Type, threads: 1);
        var halves = arange(-254, 255, dtype: ScalarType.Float32) / 2;
        Same(halves.unsqueeze(0), Int8.Type, threads: 1);
    }

    [Fact]
    public void Round_NotANumberOrInfinite_StaysNotANumber()
    {
        using var scope = NewDisposeScope();
        Same(tensor([1f, float.NaN, -3f, 900f]).unsqueeze(0), Float8.Type, threads: 1);
        Same(tensor([1f, float.NegativeInfinity, -3f]).unsqueeze(0), Float8.Type, threads: 1);
    }

    [Fact]
    public void Round_AnotherType_IsRefusedByName()
    {
        Assert.False(RowRounding.Reads(ScalarType.Float16));
        var source = Assert.Throws<ArgumentOutOfRangeException>(() => RowRounding.Round(0, ScalarType.Float16, 1, 1, Int8.Type, 0, 0));
        Assert.Contains("Float16", source.Message, StringComparison.Ordinal);
        var into = Assert.Throws<ArgumentOutOfRangeException>(() =>
            RowRounding.Round(0, ScalarType.Float32, 1, 1, ScalarType.Int32, 0, 0)
        );
        Assert.Contains("Int32", into.Message, StringComparison.Ordinal);
    }

    /// <summary>The n-th from 0 up.</summary>
    private static double Magnitude(int n) => n < 8 ? n * Math.Pow(2, -9) : (8 + n % 8) * Math.Pow(2, (n / 8) - 10);

    private static void Same(Tensor x, ScalarType into, int threads)
    {
        var (rows, columns) = (x.shape[0], (int)x.shape[1]);
        var (expected, expectedScales) = EightBits.QuantizeRows(x, into);
        var values = full(rows, columns, 99, dtype: ScalarType.Int8);
        var scales = zeros(rows, 1);

        RowRounding.Round(
            AtenOps.DataPointer(x),
            x.dtype,
            rows,
            columns,
            into,
            AtenOps.DataPointer(values),
            AtenOps.DataPointer(scales),
            threads
        );

        Assert.Equal(Bits(expectedScales.data<float>()), Bits(scales.data<float>()));
        var bytes = into == Int8.Type ? expected : AtenOps.FromMemory(AtenOps.DataPointer(expected), [rows, columns], ScalarType.Int8, CPU);
        Assert.Equal(bytes.data<sbyte>().ToArray(), values.data<sbyte>().ToArray());
    }

    private static int[] Bits(IEnumerable<float> values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
