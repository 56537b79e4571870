using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>
/// A convolution as the sum over its kernel's taps, each a product of a matrix with the input moved by that tap: no convolution of any
/// library has a part in it, and it holds no more than the input once more and the output twice.
/// </summary>
internal static class ConvolutionTaps
{
    public static Tensor Apply(ConvolutionInput input)
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (Padded(input), input.Weight);
        var kernel = weight.shape[2..];
        long[] size = [.. kernel.Select((taps, n) => (x.shape[n + 2] - taps) / input.Strides[n] + 1)];
        var sum = zeros([x.shape[0], weight.shape[0], size.Aggregate(1L, (all, one) => all * one)], x.dtype, x.device);
        foreach (var tap in Taps(kernel))
        {
            using var inner = NewDisposeScope();
            var (moved, matrix) = (x, weight);
            for (var n = 0; n < tap.Length; n++)
            {
                var end = tap[n] + (size[n] - 1) * input.Strides[n] + 1;
                moved = moved.slice(n + 2, tap[n], end, input.Strides[n]);
                matrix = matrix.select(2, tap[n]); // The dimension before it is gone
            }
            sum.add_(matrix.matmul(moved.flatten(2)));
        }
        if (input.Bias is not null)
        {
            sum.add_(input.Bias.unsqueeze(1));
        }
        return sum.view([x.shape[0], weight.shape[0], .. size]).MoveToOuterDisposeScope();
    }

    public static Tensor ApplyInFloat64(ConvolutionInput input)
    {
        using var exact = Exact(input);
        return exact.to(ScalarType.Float32);
    }

    public static Tensor Exact(ConvolutionInput input)
    {
        using var scope = NewDisposeScope();
        return Apply(
                input with
                {
                    X = input.X.to(ScalarType.Float64),
                    Weight = input.Weight.to(ScalarType.Float64),
                    Bias = input.Bias?.to(ScalarType.Float64),
                }
            )
            .MoveToOuterDisposeScope();
    }

    private static Tensor Padded(ConvolutionInput input) =>
        input.Padding.All(side => side == 0)
            ? input.X
            : nn.functional.pad(input.X, [.. input.Padding.Reverse().SelectMany(side => new[] { side, side })]);

    /// <summary>Every place of the kernel.</summary>
    private static IEnumerable<long[]> Taps(long[] kernel) =>
        kernel.Aggregate(
            (IEnumerable<long[]>)[[]],
            (taps, length) => taps.SelectMany(tap => Enumerable.Range(0, (int)length).Select(at => (long[])[.. tap, at]))
        );
}
