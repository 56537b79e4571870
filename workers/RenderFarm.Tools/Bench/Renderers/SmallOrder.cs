using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Tools.Bench.Renderers;

/// <summary>A job of the tiny model, on weights made for it.</summary>
internal static class SmallOrder
{
    public static RenderOrder In(string folder, string device)
    {
        var shape = ModelShapes.Tiny;
        var files = RandomModel.Write(shape, folder, seed: 1, _ => { }).Files;
        var onCard = device == "cuda";
        return new RenderOrder
        {
            JobId = "bench",
            Fence = 1,
            Spec = new RenderSpec
            {
                Model = shape.Id,
                Prompt = "a red ball",
                Width = 64,
                Height = 48,
                Frames = 5,
                Fps = 8,
                Steps = 2,
                GuidanceScale = 3,
                Shift = 3,
                Seed = 0,
            },
            Plan = new RenderPlan
            {
                Device = device,
                Precision = onCard ? Precision.Bf16 : Precision.Fp32,
                BlocksResident = onCard ? 0 : shape.Transformer.Layers,
                BlocksStreamed = onCard ? shape.Transformer.Layers : 0,
                RingSlots = onCard ? 2 : 0,
                TextEncoder = onCard ? TextEncoderPlacement.Streamed : TextEncoderPlacement.Cpu,
                PredictedPeakBytes = 1,
                Fits = true,
            },
            Shape = shape,
            Files = files.In(folder),
            FramePipe = "/dev/null",
            WorkDirectory = folder,
            WeightCache = onCard ? Path.Combine(folder, "cache", shape.Id) : null,
        };
    }
}
