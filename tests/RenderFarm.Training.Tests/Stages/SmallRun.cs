using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Stages;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests.Stages;

/// <summary>A model and a run that take seconds.</summary>
internal static class SmallRun
{
    public static ModelShape Shape { get; } =
        ModelShapes.Demo with
        {
            Transformer = ModelShapes.Demo.Transformer with
            {
                Dim = 48,
                FfnDim = 96,
                Heads = 2,
                Layers = 2,
                InChannels = 4,
                OutChannels = 4,
                TextDim = 32,
                TextLength = 48,
                FrequencyDim = 32,
            },
            TextEncoder = ModelShapes.Demo.TextEncoder with { Dim = 32, AttentionDim = 32, FfnDim = 48, Heads = 2, Layers = 1 },
            Vae = ModelShapes.Demo.Vae with
            {
                Dim = 4,
                DecoderDim = 4,
                LatentChannels = 4,
                LatentMean = [0.1f, -0.2f, 0, 0.3f],
                LatentStd = [1, 0.5f, 2, 0.8f],
            },
        };

    public static TrainingOptions Options(string folder) =>
        new()
        {
            Shape = Shape,
            Device = CPU,
            Output = folder,
            State = Path.Combine(folder, "state"),
            Batch = 3,
            VaeBatch = 2,
            TextBatch = 16,
            Pool = 8,
            Sizes = [(new ClipSize(64, 32, 9), 1)],
            Windows = [(new ClipSize(16, 16, 9), 1, 1)],
            Looks = 2,
            Every = 1,
        };
}
