using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Renderer.Tests;

/// <summary>A model of random weights on disk, and orders to render with it.</summary>
public sealed class RandomTinyModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ModelShape _shape;

    public RandomTinyModel()
        : this(ModelShapes.Tiny) { }

    internal RandomTinyModel(ModelShape shape)
    {
        _shape = shape;
        Manifest = RandomModel.Write(shape, _folder.Path, seed: 1, _ => { });
    }

    public ModelManifest Manifest { get; }

    public string Folder => _folder.Path;

    public RenderOrder Order(string framePipe, long seed = 7, int steps = 2, int frames = 5, int width = 64, int height = 48)
    {
        string At(string name) => Path.Combine(_folder.Path, name);
        var files = Manifest.Files;
        return new RenderOrder
        {
            JobId = "job",
            Fence = 1,
            Spec = new RenderSpec
            {
                Model = _shape.Id,
                Prompt = "a red ball",
                NegativePrompt = "blurry",
                Width = width,
                Height = height,
                Frames = frames,
                Fps = 8,
                Steps = steps,
                GuidanceScale = 3,
                Shift = 3,
                Seed = seed,
            },
            Plan = new RenderPlan
            {
                Device = "cpu",
                Precision = Precision.Fp32,
                BlocksResident = 2,
                BlocksStreamed = 0,
                PredictedPeakBytes = 123,
                Fits = true,
            },
            Shape = _shape,
            Files = new ModelFiles
            {
                Transformer = [.. files.Transformer.Select(At)],
                TransformerLowNoise = [.. files.TransformerLowNoise.Select(At)],
                ImageEncoder = [.. files.ImageEncoder.Select(At)],
                TextEncoder = [.. files.TextEncoder.Select(At)],
                Tokenizer = At(files.Tokenizer),
                Vae = [.. files.Vae.Select(At)],
            },
            FramePipe = framePipe,
            WorkDirectory = Path.GetDirectoryName(framePipe)!,
        };
    }

    public void Dispose() => _folder.Dispose();
}
