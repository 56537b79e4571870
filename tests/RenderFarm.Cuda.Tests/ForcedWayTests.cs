using RenderFarm.Cuda.Ways;

namespace RenderFarm.Cuda.Tests;

public sealed class ForcedWayTests
{
    [Fact]
    public void WhyNot_EveryWay_IsKnownByItsName() => Assert.Null(ForcedWay.WhyNot(ForcedWay.All.Select(way => way.ToString())));

    [Theory]
    [InlineData("page-lock")]
    [InlineData("page-lock=native")]
    [InlineData("Kernels=ptx")]
    public void WhyNot_AnotherWord_NamesItAndWhatThereIs(string word) =>
        Assert.Equal(
            $"RENDERFARM_WAYS has '{word}': it must be some of page-lock=read-write, page-lock=staged, allocator=native, kernels=ptx, "
                + "conv3d=broken, conv3d=slow, separated by commas",
            ForcedWay.WhyNot(["kernels=ptx", word])
        );
}
