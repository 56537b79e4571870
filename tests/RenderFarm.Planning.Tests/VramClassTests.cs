using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests;

public sealed class VramClassTests
{
    private const long MiB = 1L << 20;

    [Theory]
    [InlineData("small", 256, 160, 33, 0)]
    [InlineData("tiny", 64, 48, 5, 0)]
    [InlineData("t2v-1-3b", 832, 480, 81, 6)]
    [InlineData("t2v-14b", 832, 480, 81, 6)]
    [InlineData("t2v-14b", 1280, 720, 81, 12)]
    public void Of_Job_IsTheLeastClassThatRunsIt(string id, int width, int height, int frames, int expected) =>
        Assert.Equal(
            expected,
            VramClass.Of(PlanRequest.DefaultOf(ModelShapes.Get(id)) with { Width = width, Height = height, Frames = frames })
        );

    [Fact]
    public void Of_SmallAtItsLargest_StillRunsOnACpu() =>
        Assert.Equal(0, VramClass.Of(PlanRequest.DefaultOf(ModelShapes.Small) with { Width = 640, Height = 384, Frames = 257 }));

    [Fact]
    public void Of_PinnedResidentBf16_NeedsTheCardForIt()
    {
        var request = PlanRequest.DefaultOf(ModelShapes.T2v14B) with
        {
            Pins = new() { Precision = Precision.Bf16, BlocksStreamed = 0 },
        };
        Assert.Equal(48, VramClass.Of(request));
    }

    [Fact]
    public void Of_SmallWithACardsPrecision_NeedsACard() =>
        Assert.Equal(6, VramClass.Of(PlanRequest.DefaultOf(ModelShapes.Small) with { Pins = new() { Precision = Precision.Bf16 } }));

    [Fact]
    public void Of_NothingIsLargeEnough_IsNull() =>
        Assert.Null(VramClass.Of(PlanRequest.DefaultOf(ModelShapes.T2v14B) with { Width = 8192, Height = 8192, Frames = 257 }));

    [Theory]
    [InlineData(6_144, 6)]
    [InlineData(8_188, 8)]
    [InlineData(12_282, 12)]
    [InlineData(16_376, 16)]
    [InlineData(15_360, 16)]
    [InlineData(24_564, 24)]
    [InlineData(23_034, 24)]
    [InlineData(32_607, 32)]
    [InlineData(40_960, 32)]
    [InlineData(46_068, 48)]
    [InlineData(81_559, 80)]
    [InlineData(143_771, 80)]
    [InlineData(4_096, 0)]
    public void OfTotal_RealCards_ServeTheClassTheirNameSays(long mebibytes, int expected) =>
        Assert.Equal(expected, VramClass.OfTotal(mebibytes * MiB));
}
