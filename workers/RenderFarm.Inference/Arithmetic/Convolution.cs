using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>
/// Convolutions of pictures and of videos, in the way that is right on this processor. On a card, and in sixteen bits, there is one way.
/// </summary>
public static class Convolution
{
    /// <param name="x">[B, C, H, W]</param>
    /// <param name="weight">[out, C, h, w]</param>
    public static Tensor OfPictures(Tensor x, Tensor weight, Tensor? bias, long[]? strides = null, long[]? padding = null)
    {
        var input = new ConvolutionInput(x, weight, bias, strides ?? [1, 1], padding ?? [0, 0]);
        return IsJudged(x) ? ProcessorArithmetic.Conv2d.Apply(input) : Direct2d(input);
    }

    /// <param name="x">[B, C, F, H, W]</param>
    /// <param name="weight">[out, C, t, h, w]</param>
    public static Tensor OfVideo(Tensor x, Tensor weight, Tensor? bias, long[]? strides = null, long[]? padding = null)
    {
        var input = new ConvolutionInput(x, weight, bias, strides ?? [1, 1, 1], padding ?? [0, 0, 0]);
        return IsJudged(x) ? ProcessorArithmetic.Conv3d.Apply(input) : Direct3d(input);
    }

    internal static Operation<ConvolutionInput> Conv2dOperation() =>
        new(
            "conv2d",
            ProcessorArithmetic.Float32Limit,
            [
                new("direct", Direct2d),
                new("as conv3d", AsVideo),
                new("tap by tap", ConvolutionTaps.Apply),
                new("tap by tap in float64", ConvolutionTaps.ApplyInFloat64),
            ],
            ConvolutionTaps.Exact,
            ConvolutionTrials.OfPictures
        );

    internal static Operation<ConvolutionInput> Conv3dOperation() =>
        new(
            "conv3d",
            ProcessorArithmetic.Float32Limit,
            [
                new("direct", Direct3d),
                new("tap by tap", ConvolutionTaps.Apply),
                new("tap by tap in float64", ConvolutionTaps.ApplyInFloat64),
            ],
            ConvolutionTaps.Exact,
            ConvolutionTrials.OfVideo
        );

    private static bool IsJudged(Tensor x) => x.dtype == ScalarType.Float32 && x.device_type == DeviceType.CPU;

    private static Tensor Direct2d(ConvolutionInput input) =>
        nn.functional.conv2d(input.X, input.Weight, input.Bias, strides: input.Strides, padding: input.Padding);

    private static Tensor Direct3d(ConvolutionInput input) =>
        nn.functional.conv3d(input.X, input.Weight, input.Bias, strides: input.Strides, padding: input.Padding);

    /// <summary>Pictures as videos of one frame: another kernel of the same library.</summary>
    private static Tensor AsVideo(ConvolutionInput input)
    {
        using var x = input.X.unsqueeze(2);
        using var weight = input.Weight.unsqueeze(2);
        using var y = nn.functional.conv3d(x, weight, input.Bias, strides: [1, .. input.Strides], padding: [0, .. input.Padding]);
        return y.squeeze(2);
    }
}
