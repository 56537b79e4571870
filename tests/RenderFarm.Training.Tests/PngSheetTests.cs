using RenderFarm.Testing;
using RenderFarm.Training.Looks;
using SkiaSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests;

public sealed class PngSheetTests
{
    [Fact]
    public void Write_TwoClips_HasARowForEachAndFramesFromLeftToRight()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var clips = zeros([2, 3, 5, 4, 6]);
        clips[0].select(1, 0).fill_(1); // The first clip's first frame: white
        clips[1].select(1, 4)[0].fill_(0.5); // The second clip's last frame: half red
        PngSheet.Write(folder.File("sheet.png"), clips, rows: 2, columns: 3);

        using var sheet = SKBitmap.Decode(folder.File("sheet.png"));

        Assert.Equal((3 * 6, 2 * 4), (sheet.Width, sheet.Height));
        Assert.Equal(SKAlphaType.Opaque, sheet.AlphaType);
        Assert.Equal(new SKColor(255, 255, 255), sheet.GetPixel(0, 0));
        Assert.Equal(new SKColor(255, 255, 255), sheet.GetPixel(5, 3));
        Assert.Equal(new SKColor(0, 0, 0), sheet.GetPixel(6, 0));
        Assert.Equal(new SKColor(0, 0, 0), sheet.GetPixel(0, 4));
        Assert.Equal(new SKColor(128, 0, 0), sheet.GetPixel(17, 7));
    }
}
