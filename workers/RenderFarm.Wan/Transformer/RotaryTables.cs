using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>
/// Rotary position of every token, as unit complex numbers [L, 1, headDim/2]: the pairs of a head are divided between
/// frame, row and column (22, 21 and 21 of 64). Angles are formed in float64; float32 angles drift at high positions.
/// </summary>
public static class RotaryTables
{
    /// <summary>Only the few positions of each axis are computed, and spread over the grid where it lies.</summary>
    /// <param name="grid">Size in tokens.</param>
    public static Tensor For((long Frames, long Height, long Width) grid, int headDim, Device device)
    {
        using var scope = NewDisposeScope();
        var side = 2 * (headDim / 6);
        var time = headDim - (2 * side);
        var (f, h, w) = grid;
        return cat(
                [
                    Axis(f, time, device).view(f, 1, 1, -1).expand(f, h, w, -1),
                    Axis(h, side, device).view(1, h, 1, -1).expand(f, h, w, -1),
                    Axis(w, side, device).view(1, 1, w, -1).expand(f, h, w, -1),
                ],
                -1
            )
            .view(f * h * w, 1, headDim / 2)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Of angles position · 10000^(−2i/dim), [positions, dim/2].</summary>
    private static Tensor Axis(long positions, int dim, Device device)
    {
        var frequency = pow(10000.0, arange(0, dim, 2, dtype: ScalarType.Float64) / -dim);
        var angles = outer(arange(positions, dtype: ScalarType.Float64), frequency);
        return view_as_complex(stack([angles.cos(), angles.sin()], -1).to(ScalarType.Float32)).to(device);
    }
}
