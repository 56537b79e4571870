using RenderFarm.Inference.Arithmetic;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Arithmetic;

/// <summary>What everything is held against must be a convolution itself: compared with the library's own in float64.</summary>
public sealed class ConvolutionTapsTests
{
    [Fact]
    public void Exact_EveryTrialOfPictures_IsTheConvolution() =>
        Compare(
            ConvolutionTrials.OfPictures,
            input => nn.functional.conv2d(input.X, input.Weight, input.Bias, strides: input.Strides, padding: input.Padding)
        );

    [Fact]
    public void Exact_EveryTrialOfVideo_IsTheConvolution() =>
        Compare(
            ConvolutionTrials.OfVideo,
            input => nn.functional.conv3d(input.X, input.Weight, input.Bias, strides: input.Strides, padding: input.Padding)
        );

    [Fact]
    public void Apply_NoBias_AddsNone()
    {
        using var scope = NewDisposeScope();
        var input = new ConvolutionInput(randn(2, 5, 6, 7), randn(3, 5, 2, 3), null, [2, 1], [1, 0]);

        var actual = ConvolutionTaps.Apply(input);

        var expected = nn.functional.conv2d(input.X, input.Weight, strides: input.Strides, padding: input.Padding);
        Assert.Equal(expected.shape, actual.shape);
        Assert.True((actual - expected).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void Trials_OfTheFaultyChannels_AreThere()
    {
        using var numbers = new TrialTensors();
        using var scope = NewDisposeScope();
        var channels = ConvolutionTrials.OfPictures(numbers).Select(trial => trial.Input.X.shape[1]).ToHashSet();

        Assert.Subset(channels, new HashSet<long> { 24, 40, 56, 88 });
    }

    private static void Compare(
        Func<TrialTensors, IEnumerable<Trial<ConvolutionInput>>> trials,
        Func<ConvolutionInput, Tensor> convolution
    )
    {
        using var numbers = new TrialTensors();
        using var scope = NewDisposeScope();
        foreach (var (name, input) in trials(numbers).Select(trial => (trial.Name, trial.Input)))
        {
            var exact = ConvolutionTaps.Exact(input);
            var expected = convolution(
                input with
                {
                    X = input.X.to(ScalarType.Float64),
                    Weight = input.Weight.to(ScalarType.Float64),
                    Bias = input.Bias!.to(ScalarType.Float64),
                }
            );

            Assert.Equal(expected.shape, exact.shape);
            Assert.True(((exact - expected).norm() / expected.norm()).item<double>() < 1e-13, name);
        }
    }
}
