using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Conditioning.Pictures;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Conditioning.Pictures;

public sealed class PictureFitTests
{
    [Fact]
    public void Shown_FrameOfThePicturesOwnProportions_IsTheWholePicture()
    {
        using var scope = NewDisposeScope();

        // 4000 × 3000 asks for 720 × 544 on this area: off by less than a cell of the grid
        Assert.Equal([1, 3, 300, 400], PictureFit.Shown(Ramp(400, 300), ModelShapes.I2v14B480, 720, 544).shape);
    }

    [Fact]
    public void Shown_OtherProportions_IsTheMiddleThatCoversTheFrame()
    {
        using var scope = NewDisposeScope();
        var picture = Ramp(400, 100);

        var shown = PictureFit.Shown(picture, ModelShapes.I2v14B480, 480, 480);

        Assert.Equal([1, 3, 100, 100], shown.shape);
        Assert.True(shown.equal(picture.narrow(3, 150, 100)).all().item<bool>());
    }

    [Fact]
    public void Bicubic_Enlarging_OvershootsAsTheReferenceKernelDoes()
    {
        using var scope = NewDisposeScope();
        var step = cat([ones(1, 3, 4, 4).neg(), ones(1, 3, 4, 4)], 3); // −1 | 1

        var enlarged = PictureFit.Bicubic(step, 16, 4);

        // A = −0.75, an eighth of the way in: kernel weights worked out by hand
        Assert.Equal(1.0, enlarged[0, 0, 2, 13].item<float>(), 5);
        Assert.True(enlarged.max().item<float>() > 1.1f, "a kernel with a = −0.5 or with antialiasing overshoots less");
    }

    [Theory]
    [InlineData(64, 48, 32, 32)]
    [InlineData(20, 90, 96, 64)]
    [InlineData(1, 1, 32, 32)]
    public void Lanczos_AnySize_CoversTheFrameAndKeepsFlatColours(int width, int height, int toWidth, int toHeight)
    {
        using var scope = NewDisposeScope();
        var flat = full([1, 3, height, width], 100 / 127.5 - 1, dtype: ScalarType.Float32);

        var fitted = PictureFit.Lanczos(flat, toWidth, toHeight);

        Assert.Equal([1, 3, toHeight, toWidth], fitted.shape);
        Assert.True((fitted - (100 / 127.5 - 1)).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void Lanczos_SameSize_IsThePictureItself()
    {
        using var scope = NewDisposeScope();
        var picture = Ramp(32, 16);

        Assert.True((PictureFit.Lanczos(picture, 32, 16) - picture).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void Lanczos_Halving_MatchesTheKernelWorkedOutByHand()
    {
        using var scope = NewDisposeScope();
        var picture = zeros(1, 3, 1, 24).sub_(1);
        picture[0, 0, 0, 12] = 1; // One white column of black ones

        var halved = LanczosResize.Apply(picture, 12, 1);

        // Distances of new points from that column, in units of the widened kernel: 0.25, 0.75, 1.25, …, each over a sum of 2
        double Kernel(double x) => Math.Sin(x * Math.PI) * Math.Sin(x * Math.PI / 3) * 3 / (x * x * Math.PI * Math.PI);
        foreach (var (point, distance) in new[] { (6, 0.25), (5, 0.75), (7, 1.25), (4, 1.75) })
        {
            var level = Math.Clamp(Math.Floor(Kernel(distance) / 2 * 255 + 0.5), 0, 255);
            Assert.InRange((halved[0, 0, 0, point].item<float>() + 1) * 127.5, level - 1.01, level + 1.01);
        }
    }

    [Theory]
    [InlineData(false, new float[] { 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(true, new float[] { 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1 })]
    public void Mask_NineFrames_MarksTheGivenOnes(bool withLast, float[] expected)
    {
        using var scope = NewDisposeScope();
        var frame = ones(1, 3, 16, 16);
        var given = new GivenFrames(frame, withLast ? frame : null, 9);

        var mask = given.Mask(2, 3, CPU);

        Assert.Equal([1, 4, 3, 2, 3], mask.shape);
        // Frame by frame: the four channels of each latent frame
        Assert.Equal(expected, mask[0, TensorIndex.Ellipsis, 1, 2].t().contiguous().data<float>().ToArray());
    }

    [Fact]
    public void Chunk_GivenFramesAndGreyBetween()
    {
        using var scope = NewDisposeScope();
        var given = new GivenFrames(ones(1, 3, 2, 2), ones(1, 3, 2, 2) * 0.5, 5);

        var rest = given.Chunk(1, 4);

        Assert.Equal(1, given.Chunk(0, 1).mean().item<float>());
        Assert.Equal([0f, 0f, 0f, 0.5f], rest[0, 0, TensorIndex.Colon, 1, 1].data<float>().ToArray());
    }

    private static Tensor Ramp(int width, int height) =>
        (arange(width * height, dtype: ScalarType.Float32).remainder(256) / 127.5 - 1)
            .view(1, 1, height, width)
            .expand(1, 3, height, width)
            .contiguous();
}
