using RenderFarm.Contracts.Plans;

namespace RenderFarm.Planning.Schemes;

/// <summary>
/// What a way to round weights and products costs: the error of one velocity against float32, ‖a − b‖ ÷ ‖b‖, of the 14B shapes with
/// random weights on 1,950 tokens. It ranks the ways; trained weights differ.
/// </summary>
public static class SchemeErrors
{
    /// <summary>Each with the figure that measured it, in tests/RenderFarm.Benchmarks/results/h200-quality.json.</summary>
    public static IReadOnlyList<SchemeError> Measured { get; } =
    [
        new(Precision.Bf16, AttentionPrecision.Full, 0.0029, "velocity error, bf16"),
        new(Precision.Fp8Weights, AttentionPrecision.Full, 0.0407, "velocity error, fp8-weights"),
        new(Precision.Fp8, AttentionPrecision.Full, 0.0511, "velocity error, fp8"),
        new(Precision.Fp8, AttentionPrecision.EightBit, 0.0511, "velocity error, fp8, attention in eight bits, all blocks"),
    ];

    /// <summary>Null for a way that was never measured.</summary>
    public static double? Of(Precision precision, AttentionPrecision attention) =>
        precision is Precision.Fp32 && attention is AttentionPrecision.Full
            ? 0
            : Measured.FirstOrDefault(scheme => (scheme.Precision, scheme.Attention) == (precision, attention))?.Error;
}

/// <param name="Figure">Its name in the results.</param>
public sealed record SchemeError(Precision Precision, AttentionPrecision Attention, double Error, string Figure);
