using RenderFarm.Inference.Layers;
using RenderFarm.Planning.Models;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Stages;
using RenderFarm.Training.Text;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests;

public sealed class DemoModelTests
{
    [Fact]
    public void Shape_AllWeightsInFloat16_AreUnderTwelveMegabytes()
    {
        var shape = ModelShapes.Demo;
        var parameters = WeightListing
            .Of(weights =>
                (
                    new Umt5Encoder(weights.Scope("text"), shape.TextEncoder),
                    new WanModel(weights.Scope("dit"), shape.Transformer),
                    new WanVae(weights.Scope("vae"), shape.Vae)
                )
            )
            .DistinctBy(entry => entry.Name)
            .Sum(entry => entry.Elements);

        const int HeadersAndVocabulary = 150_000;
        Assert.InRange(2 * parameters + HeadersAndVocabulary, 6_000_000, 12_000_000);
    }

    [Fact]
    public void TextLength_LongestCaption_IsNotCut()
    {
        var tokenizer = new DemoTokenizer();
        var scenes = new SceneGenerator(1);
        var lengths = Enumerable
            .Range(0, 2_000)
            .Select(i => tokenizer.Ids(Captions.Of(scenes.Draw(i, new ClipSize(224, 128, 25)), i), 512).Count)
            .Order()
            .ToList();

        Assert.True(
            lengths[1_980] <= ModelShapes.Demo.Transformer.TextLength,
            $"one caption in a hundred has more than {lengths[1_980]} pieces"
        );
    }

    [Fact]
    public void Windows_OfTheVae_FitIntoTheClipsTheyAreCutFrom()
    {
        var options = new TrainingOptions
        {
            Shape = ModelShapes.Demo,
            Device = CPU,
            Output = "",
            State = "",
        };
        var clip = options.Sizes[0].Size;

        Assert.All(
            options.Windows,
            window =>
                Assert.True(
                    window.Size.Width <= clip.Width && window.Size.Height <= clip.Height && window.Size.Frames <= clip.Frames,
                    $"{window.Size} is not part of {clip}"
                )
        );
    }
}
