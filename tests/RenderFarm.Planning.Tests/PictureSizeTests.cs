using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.Tests;

public sealed class PictureSizeTests
{
    [Theory] // Worked by hand from the published rule: floor(sqrt(area · ratio) / 16) · 16
    [InlineData(832, 480, 832, 480)]
    [InlineData(480, 832, 480, 832)]
    [InlineData(1000, 1000, 624, 624)]
    [InlineData(4000, 3000, 720, 544)]
    [InlineData(1920, 1080, 832, 464)]
    public void Of_ImageModel_KeepsProportionsOnTheDefaultArea(int width, int height, int expectedWidth, int expectedHeight) =>
        Assert.Equal((expectedWidth, expectedHeight), PictureSize.Of(ModelShapes.I2v14B480, width, height));

    [Theory]
    [InlineData(1280, 704, 1280, 704)]
    [InlineData(704, 1280, 704, 1280)]
    [InlineData(1000, 1000, 960, 928)]
    [InlineData(1920, 1080, 1248, 704)]
    public void Of_FirstFrameModel_TakesTheWayThatStretchesLess(int width, int height, int expectedWidth, int expectedHeight) =>
        Assert.Equal((expectedWidth, expectedHeight), PictureSize.Of(ModelShapes.Ti2v5B, width, height));

    [Theory]
    [InlineData(1, 30_000)]
    [InlineData(30_000, 1)]
    [InlineData(1, 1)]
    public void Of_AnyPicture_StaysOnTheGridAndUnderTheLimit(int width, int height)
    {
        foreach (var shape in ModelShapes.All.Where(shape => shape.TakesFirstFrame))
        {
            var (w, h) = PictureSize.Of(shape, width, height);
            Assert.True(w > 0 && h > 0 && w % shape.Defaults.SizeMultiple == 0 && h % shape.Defaults.SizeMultiple == 0);
            Assert.True(w * h <= shape.Defaults.MaxArea * 1.1);
        }
    }
}
