using static TorchSharp.torch;

namespace RenderFarm.Inference.Quantization;

/// <summary>
/// Eight-bit whole numbers, ±127: evenly spaced where e4m3's places double, so that Gaussian weights lie 2.5 times nearer to them on
/// the same bytes, and any card since Turing multiplies them.
/// </summary>
public static class Int8
{
    public const ScalarType Type = ScalarType.Int8;
    public const double Max = 127;

    /// <summary>One scale a row: x ≈ values · scales.</summary>
    /// <param name="x">[…, n]; a weight [out, in] gets a scale per output channel.</param>
    /// <returns>int8 […, n] and float32 […, 1].</returns>
    public static (Tensor Values, Tensor Scales) QuantizeRows(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (scaled, scales) = EightBits.Scale(x, Max);
        var values = scaled.round().clamp(-Max, Max).to(Type);
        return (values.MoveToOuterDisposeScope(), scales.MoveToOuterDisposeScope());
    }
}
