using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Tests.Videos;

public sealed class VideoLimitsTests
{
    private static readonly ModelDefaults Model = new()
    {
        Width = 832,
        Height = 480,
        Frames = 81,
        Fps = 16,
        Steps = 50,
        GuidanceScale = 5,
        Shift = 3,
        MaxArea = 832 * 480,
    };

    [Theory]
    [InlineData(832, 480, null)]
    [InlineData(912, 480, null)] // Within the grace
    [InlineData(928, 480, "at most 399360 pixels a frame")]
    [InlineData(833, 480, "multiples of 16")]
    [InlineData(16384, 16, null)]
    [InlineData(16, 16400, "a side has at most 16384 pixels")]
    [InlineData(2147483632, 2147483632, "at most 399360 pixels a frame")]
    public void SizeFault_OfASize_NamesTheLimitThatItBreaks(int width, int height, string? fault)
    {
        if (fault is null)
        {
            Assert.Null(VideoLimits.SizeFault(width, height, Model));
        }
        else
        {
            Assert.Contains(fault, VideoLimits.SizeFault(width, height, Model)!, StringComparison.Ordinal);
        }
    }
}
