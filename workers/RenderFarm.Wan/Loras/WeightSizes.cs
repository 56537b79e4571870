using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Wan.Loras;

/// <summary>A weight as the factors of a change see it: rows, columns, and the kernel of a convolution taken flat.</summary>
public readonly record struct WeightSizes(long Out, long In, long Kernel)
{
    internal static WeightSizes Of(ExpectedTensor tensor) =>
        new(
            tensor.Shape[0],
            tensor.Shape.Count > 1 ? tensor.Shape[1] : 1,
            tensor.Shape.Skip(2).Aggregate(1L, (product, size) => product * size)
        );
}
