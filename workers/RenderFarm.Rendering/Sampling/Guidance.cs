using static TorchSharp.torch;

namespace RenderFarm.Rendering.Sampling;

/// <summary>Classifier-free guidance.</summary>
public static class Guidance
{
    /// <summary>At scale 1 the unconditional prediction drops out: one forward pass is enough.</summary>
    public static bool NeedsUnconditional(double scale) => scale != 1;

    /// <summary>
    /// unconditional + scale · (conditional − unconditional), in float32 whatever the inputs are: in bfloat16 the
    /// difference of two near predictions keeps hardly a digit. The caller owns the result.
    /// </summary>
    public static Tensor Combine(Tensor conditional, Tensor unconditional, double scale)
    {
        using var scope = NewDisposeScope();
        var without = unconditional.to_type(ScalarType.Float32);
        return without.add(conditional.to_type(ScalarType.Float32) - without, alpha: scale).MoveToOuterDisposeScope();
    }
}
