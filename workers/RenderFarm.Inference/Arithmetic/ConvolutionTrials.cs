using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>
/// The kernels, strides and layouts of the VAEs and of the image encoder. Channels are those of published models, which are multiples of
/// sixteen, and of small ones, which are not: libraries pack channels by eight or sixteen and treat the rest apart.
/// </summary>
internal static class ConvolutionTrials
{
    private static readonly int[] Channels = [4, 8, 12, 16, 24, 40, 56, 88, 96];
    private const int Height = 10;
    private const int Width = 14;

    public static IEnumerable<Trial<ConvolutionInput>> OfPictures(TrialTensors numbers)
    {
        foreach (var channels in Channels)
        {
            foreach (var frames in new[] { 1, 4 })
            {
                var x = numbers.Normal(frames, channels, Height, Width);
                yield return Of(numbers, x, channels, [3, 3], [1, 1], [1, 1], "");
                yield return Of(numbers, x, channels, [3, 3], [2, 2], [0, 0], "");
                yield return Of(numbers, x, 3 * channels, [1, 1], [1, 1], [0, 0], "");
            }
            // Frames as channels: three of them, the channels innermost in memory
            var inner = numbers.Normal(4, Height, Width, 3 * channels).permute(0, 3, 1, 2);
            yield return Of(numbers, inner, channels, [3, 3], [1, 1], [1, 1], ", channels innermost");
            yield return Of(numbers, numbers.Normal(1, channels, Height, Width), Math.Max(1, channels / 2), [3, 3], [1, 1], [1, 1], "");
        }
        yield return Of(numbers, numbers.Normal(1, 3, 56, 56), 40, [14, 14], [14, 14], [0, 0], "");
    }

    public static IEnumerable<Trial<ConvolutionInput>> OfVideo(TrialTensors numbers)
    {
        foreach (var channels in Channels)
        {
            foreach (var frames in new[] { 1, 4 })
            {
                var x = numbers.Normal(1, channels, frames + 2, Height, Width);
                yield return Of(numbers, x, channels, [3, 3, 3], [1, 1, 1], [0, 1, 1], "");
                yield return Of(numbers, x, 2 * channels, [3, 1, 1], [1, 1, 1], [0, 0, 0], "");
                yield return Of(numbers, x, channels, [3, 1, 1], [2, 1, 1], [0, 0, 0], "");
                yield return Of(numbers, x, 2 * channels, [1, 1, 1], [1, 1, 1], [0, 0, 0], "");
            }
            yield return Of(numbers, numbers.Normal(1, channels, 6, Height, Width), 3, [3, 3, 3], [1, 1, 1], [0, 1, 1], "");
        }
    }

    private static Trial<ConvolutionInput> Of(
        TrialTensors numbers,
        Tensor x,
        int outChannels,
        long[] kernel,
        long[] strides,
        long[] padding,
        string layout
    )
    {
        var channels = x.shape[1];
        var moved = strides.Any(stride => stride > 1) ? $", strides {string.Join(" x ", strides)}" : "";
        var batch = x.shape[0] > 1 ? $"{x.shape[0]} of " : "";
        return new Trial<ConvolutionInput>(
            $"{batch}{channels} to {outChannels} channels, {string.Join(" x ", kernel)}{moved}{layout}",
            new ConvolutionInput(
                x,
                numbers.Normal([outChannels, channels, .. kernel]),
                numbers.Normal(outChannels),
                strides,
                padding
            )
        );
    }
}
