using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using SkiaSharp;

namespace RenderFarm.Rendering.Tests.Pipelines;

/// <summary>Renders from pictures in the ways a plan can ask for.</summary>
public sealed class PictureRenderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("tiny-i2v")]
    [InlineData("tiny-flf2v")]
    [InlineData("tiny-i2v-experts")]
    [InlineData("tiny-ti2v")]
    public void Render_BothBranchesInOneForward_SameVideoAsInTwo(string id)
    {
        var shape = ModelShapes.Get(id);
        var model = RandomModel.Write(shape, _folder.Path, seed: 1, _ => { });

        var apart = Render(shape, model, batched: false);
        var together = Render(shape, model, batched: true);

        Assert.True(apart.Zip(together).Max(pair => Math.Abs(pair.First - pair.Second)) <= 1, "more than rounding");
    }

    public void Dispose() => _folder.Dispose();

    private byte[] Render(ModelShape shape, ModelManifest model, bool batched)
    {
        string At(string name) => Path.Combine(_folder.Path, name);
        var inputs = new Dictionary<string, string> { [InputRoles.FirstFrame] = Picture("first", SKColors.Red) };
        if (shape.NeedsLastFrame)
        {
            inputs[InputRoles.LastFrame] = Picture("last", SKColors.Blue);
        }

        var order = new RenderOrder
        {
            JobId = "job",
            Fence = 1,
            Shape = shape,
            FramePipe = "",
            WorkDirectory = _folder.Path,
            InputFiles = inputs,
            Spec = new RenderSpec
            {
                Model = shape.Id,
                Prompt = "a red ball",
                NegativePrompt = "blurry",
                Width = 32,
                Height = 32,
                Frames = 5,
                Fps = 8,
                Steps = 2,
                GuidanceScale = 3,
                Shift = 3,
                Seed = 7,
            },
            Plan = new RenderPlan
            {
                Device = "cpu",
                Precision = Precision.Fp32,
                BlocksResident = 2,
                BlocksStreamed = 0,
                PredictedPeakBytes = 1,
                Fits = true,
                GuidanceBatched = batched,
            },
            Files = new ModelFiles
            {
                Transformer = [.. model.Files.Transformer.Select(At)],
                TransformerLowNoise = [.. model.Files.TransformerLowNoise.Select(At)],
                TextEncoder = [.. model.Files.TextEncoder.Select(At)],
                Tokenizer = At(model.Files.Tokenizer),
                Vae = [.. model.Files.Vae.Select(At)],
                ImageEncoder = [.. model.Files.ImageEncoder.Select(At)],
            },
        };
        var frames = new Frames();
        using var pipeline = new VideoPipeline(order, new SilentObserver(), new StageMeter(), TestContext.Current.CancellationToken);
        pipeline.Render(frames);
        return frames.Bytes;
    }

    private string Picture(string name, SKColor colour)
    {
        using var bitmap = new SKBitmap(40, 30);
        bitmap.Erase(colour);
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        var path = _folder.File(name + ".png");
        File.WriteAllBytes(path, data.ToArray());
        return path;
    }

    private sealed class Frames : IFrameSink
    {
        public byte[] Bytes { get; private set; } = [];

        public void Write(ReadOnlySpan<byte> rgb24) => Bytes = [.. Bytes, .. rgb24];
    }
}
