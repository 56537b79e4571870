using RenderFarm.Cuda.Kernels;

namespace RenderFarm.Cuda.Tests;

public sealed class CompileTargetTests
{
    private static readonly int[] Known = [75, 80, 86, 89, 90, 100];

    [Theory]
    [InlineData(90, false, "--gpu-architecture=sm_90")]
    [InlineData(90, true, "--gpu-architecture=compute_90")]
    [InlineData(120, false, "--gpu-architecture=compute_100")]
    [InlineData(87, false, "--gpu-architecture=compute_86")]
    public void Of_CardAgainstTheCompiler_IsTheCardOrTheNewestBeforeIt(int card, bool forced, string option) =>
        Assert.Equal(option, CompileTarget.Of(card, Known, forced).Option(specific: false));

    [Fact]
    public void Of_CardOlderThanTheCompiler_IsRefusedByName() =>
        Assert.Contains(
            "compute capability 7.0",
            Assert.Throws<NotSupportedException>(() => CompileTarget.Of(70, Known, forced: false)).Message,
            StringComparison.Ordinal
        );
}
