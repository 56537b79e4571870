namespace RenderFarm.Contracts.Plans;

/// <summary>
/// What the renderer of this release can run. Plans choose from it and pins are held against it, so that a word of the interface is no
/// promise of a kernel.
/// </summary>
public static class EnginePrecisions
{
    public static IReadOnlyList<Precision> OnCards { get; } = [Precision.Fp32, Precision.Bf16, Precision.Fp8Weights, Precision.Fp8];

    public static IReadOnlyList<Precision> OnProcessors { get; } = [Precision.Fp32];
}
