using RenderFarm.Cuda.Aten;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// On a card's int8 units, through cuBLASLt: sums in int32, some rows at a time, so that they never take more than
/// <see cref="SumBytes"/> beside the result, then scales and bias in one pass.
/// </summary>
public sealed class FusedInt8Products(FusedTokenOps ops) : IInt8Products
{
    /// <summary>What the int32 sums of one piece may take.</summary>
    public const long SumBytes = 128L << 20;

    // cuBLASLt has no int8 product of sixteen rows or fewer
    private const long LeastRows = 32;

    public Activation Quantize(Tensor x)
    {
        using var scope = NewDisposeScope();
        return ops.Quantize(x.to(ScalarType.BFloat16).contiguous(), RowFormat.Int8, gelu: false).MoveToOuterDisposeScope();
    }

    public Tensor Apply(Activation rows, Tensor weight, Tensor scales, Tensor? bias)
    {
        var (count, outFeatures) = (rows.Values.shape[0], weight.shape[0]);
        using var scope = NewDisposeScope();
        var output = empty([count, outFeatures], dtype: ScalarType.BFloat16, device: weight.device);
        foreach (var (start, piece) in Pieces(count, outFeatures))
        {
            using var inner = NewDisposeScope();
            var values = rows.Values.narrow(0, start, piece);
            var padded = piece >= LeastRows ? values : nn.functional.pad(values, (0, 0, 0, LeastRows - piece));
            var sums = AtenOps.IntMm(padded, weight.t()).narrow(0, 0, piece);
            ops.ScaleSums(sums, rows.Scales!.narrow(0, start, piece), scales, bias, output.narrow(0, start, piece));
        }

        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Rows in pieces as even as can be: a short last one would run as badly as a long one well.</summary>
    internal static IEnumerable<(long Start, long Count)> Pieces(long rows, long outFeatures)
    {
        var most = Math.Max(LeastRows, SumBytes / (sizeof(int) * outFeatures));
        var pieces = (rows + most - 1) / most;
        for (long piece = 0; piece < pieces; piece++)
        {
            var start = rows * piece / pieces;
            yield return (start, (rows * (piece + 1) / pieces) - start);
        }
    }
}
