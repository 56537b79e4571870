using RenderFarm.Contracts.Models;
using RenderFarm.Wan.ImageEncoder;
using RenderFarm.Wan.Tests.Synthetic;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.ImageEncoder;

public sealed class ClipVisionTests
{
    private static readonly ImageEncoderShape Shape = new()
    {
        ImageSize = 28,
        PatchSize = 14,
        Dim = 32,
        FfnDim = 128,
        Heads = 4,
        Layers = 4,
        OutDim = 16,
    };

    [Fact]
    public void Encode_SyntheticWeights_MatchesReference()
    {
        using var scope = NewDisposeScope();
        using var tower = SyntheticSource.Build(weights => new ClipVision(weights, Shape));

        var hidden = tower.Module.Encode(SyntheticValues.Input("img", 1.7, 1, 3, 28, 28));

        Assert.Equal([1, 5, 32], hidden.shape);
        new Statistics(0.1899547, 1.9614327, 5.143095, [2.939746, 0.836076, 0.714659, 1.019827], 3.054609).AssertMatches(hidden);
    }

    [Fact]
    public void Prepare_WidePicture_IsStretchedToASquareAndNormalised()
    {
        using var scope = NewDisposeScope();
        var grey = zeros(1, 3, 20, 100); // Mid grey in [−1, 1]

        var prepared = ClipVision.Prepare(grey, Shape);

        Assert.Equal([1, 3, 28, 28], prepared.shape);
        // (0.5 − mean) / deviation of each channel
        float[] expected = [0.069037f, 0.161394f, 0.332838f];
        for (var channel = 0; channel < 3; channel++)
        {
            Assert.Equal(expected[channel], prepared[0, channel, 14, 14].item<float>(), 4);
        }
    }

    [Fact]
    public void Encode_OtherSize_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var tower = SyntheticSource.Build(weights => new ClipVision(weights, Shape));

        Assert.Contains(
            "[B, 3, 28, 28]",
            Assert.Throws<ArgumentException>(() => tower.Module.Encode(zeros(1, 3, 28, 32))).Message,
            StringComparison.Ordinal
        );
    }
}
