using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;

namespace RenderFarm.Training;

/// <summary>
/// Sizes of the model that is trained, in the form of TI2V: its VAE works on 2 × 2 pixels at once and has paths around its
/// convolutions, and a DiT on its latents has a quarter of the tokens that one on 2.1's has. All weights together are under
/// 12 MB in float16. With random weights, <c>demo</c> among the presets is another model.
/// </summary>
internal static class DemoFamily
{
    // a token is 2 × 2 of them, and its noise has to fit through the DiT's width with room to spare: half of it
    private const int LatentChannels = 24;

    public static ModelShape Shape { get; } = ModelShapes.Demo with
    {
        Transformer = new()
        {
            // rows behind a prompt are attended to as well, so that a longer text length dilutes what is said
            Dim = 192, FfnDim = 512, Heads = 3, Layers = 6, InChannels = LatentChannels, OutChannels = LatentChannels, TextDim = 128, TextLength = 32,
        },
        TextEncoder = new() { Vocabulary = 1024, Dim = 128, AttentionDim = 128, FfnDim = 256, Heads = 4, Layers = 2 },
        Vae = ModelShapes.Vae22 with
        {
            Dim = 8, DecoderDim = 16, DimMultipliers = [1, 2, 4, 4], ResidualBlocks = 1, LatentChannels = LatentChannels,
            LatentMean = [.. Enumerable.Repeat(0f, LatentChannels)], LatentStd = [.. Enumerable.Repeat(1f, LatentChannels)],
        },
        Pictures = PictureConditioning.FirstLatentFrame,
        Defaults = ModelShapes.Demo.Defaults with { Width = 128, Height = 96, Frames = 13, Fps = 8, Steps = 16, GuidanceScale = 4, SizeMultiple = 32, Shift = 4 },
    };
}
