using static TorchSharp.torch;

namespace RenderFarm.Inference.Quantization;

/// <summary>What both kinds of eight bits have in common, told apart by the type of their values.</summary>
public static class EightBits
{
    /// <summary>What weights of this format are stored in; null where they are not stored in eight bits.</summary>
    public static ScalarType? TypeOf(WeightFormat format) =>
        format switch
        {
            WeightFormat.Float8Stored or WeightFormat.Float8 => Float8.Type,
            WeightFormat.Int8Stored or WeightFormat.Int8 => Int8.Type,
            _ => null,
        };

    /// <summary>The largest value of a type of eight bits with scales; null for any other type.</summary>
    internal static double? MaxOf(ScalarType type) =>
        type switch
        {
            Float8.Type => Float8.Max,
            Int8.Type => Int8.Max,
            _ => null,
        };

    /// <summary>One scale a row: x ≈ values · scales.</summary>
    /// <param name="type">Of the values.</param>
    public static (Tensor Values, Tensor Scales) QuantizeRows(Tensor x, ScalarType type) =>
        type switch
        {
            Float8.Type => Float8.QuantizeRows(x),
            Int8.Type => Int8.QuantizeRows(x),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "is no type of eight bits with scales"),
        };

    /// <summary>Each row so that its largest value becomes <paramref name="max"/>, not rounded yet; one of zeros has the scale 1.</summary>
    internal static (Tensor Scaled, Tensor Scales) Scale(Tensor x, double max)
    {
        using var scope = NewDisposeScope();
        var exact = x.to(ScalarType.Float32);
        var largest = exact.abs().amax([-1], keepdim: true);
        var scales = where(largest > 0, largest / max, ones_like(largest));
        return ((exact * scales.reciprocal()).MoveToOuterDisposeScope(), scales.MoveToOuterDisposeScope());
    }

    /// <param name="scales">Broadcasts against the values.</param>
    public static Tensor Dequantize(Tensor values, Tensor scales, ScalarType type)
    {
        using var exact = values.to(ScalarType.Float32);
        using var scaled = exact.mul_(scales);
        return scaled.to(type, copy: true);
    }
}
