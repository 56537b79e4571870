using RenderFarm.Inference.Arithmetic;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning.Pictures;

/// <summary>
/// Lanczos resampling of three lobes, widened where it shrinks so that nothing aliases. Columns first, then rows, with
/// eight-bit values in between and at the end: what the common imaging library does, and so what models were given.
/// </summary>
public static class LanczosResize
{
    private const double Lobes = 3;

    /// <param name="picture">[1, 3, H, W] in [−1, 1].</param>
    /// <returns>[1, 3, height, width] in [−1, 1]; the caller owns it.</returns>
    public static Tensor Apply(Tensor picture, int width, int height)
    {
        using var scope = NewDisposeScope();
        var levels = (picture.to(ScalarType.Float32) + 1) * 127.5;
        if (picture.shape[3] != width)
        {
            levels = Levels(Product.OfMatrices(levels, Weights((int)picture.shape[3], width).t()));
        }

        if (picture.shape[2] != height)
        {
            levels = Levels(Product.OfMatrices(Weights((int)picture.shape[2], height), levels));
        }

        return (levels / 127.5 - 1).MoveToOuterDisposeScope();
    }

    private static Tensor Levels(Tensor values) => values.add(0.5).floor().clamp(0, 255);

    /// <summary>[to, from]: what each new point takes of the old ones; each row sums to 1.</summary>
    private static Tensor Weights(int from, int to)
    {
        var scale = from / (double)to;
        var widen = Math.Max(scale, 1);
        var reach = Lobes * widen;
        var weights = new float[to * from];
        for (var point = 0; point < to; point++)
        {
            var centre = (point + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - reach + 0.5));
            var end = Math.Min(from, (int)(centre + reach + 0.5));
            double sum = 0;
            for (var at = first; at < end; at++)
            {
                sum += Kernel((at - centre + 0.5) / widen);
            }

            for (var at = first; at < end; at++)
            {
                weights[(point * from) + at] = (float)(Kernel((at - centre + 0.5) / widen) / sum);
            }
        }
        return tensor(weights).view(to, from);
    }

    private static double Kernel(double x) => Math.Abs(x) < Lobes ? Sinc(x) * Sinc(x / Lobes) : 0;

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);
}
