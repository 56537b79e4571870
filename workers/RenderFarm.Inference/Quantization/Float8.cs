using RenderFarm.Cuda.Aten;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Quantization;

/// <summary>
/// Eight-bit floats, e4m3: 4 bits of exponent, 3 of mantissa, ±448, no infinities. The cast does not saturate (beyond the
/// range it gives NaN), so rows are scaled to their own maximum, which lands on 448 exactly.
/// </summary>
public static class Float8
{
    public const ScalarType Type = AtenOps.Float8E4M3;
    public const double Max = 448;

    /// <summary>One scale a row: x ≈ values · scales.</summary>
    /// <param name="x">[…, n]; a weight [out, in] gets a scale per output channel.</param>
    /// <returns>e4m3 […, n] and float32 […, 1].</returns>
    public static (Tensor Values, Tensor Scales) QuantizeRows(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (scaled, scales) = EightBits.Scale(x, Max);
        var values = scaled.clamp(-Max, Max).to(Type);
        return (values.MoveToOuterDisposeScope(), scales.MoveToOuterDisposeScope());
    }
}
