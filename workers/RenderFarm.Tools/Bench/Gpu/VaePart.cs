using System.Diagnostics;
using RenderFarm.Contracts.Units;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;
using RenderFarm.Inference.Layers;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Loading;
using RenderFarm.Verbs.Figures;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>The VAE's decoder at 480p in three types: seconds a latent frame, memory, and how far pixels are from float32.</summary>
internal static class VaePart
{
    private const int LatentFrames = 3;

    public static void Run(FigureReport report)
    {
        using var scope = NewDisposeScope();
        var shape = ModelShapes.Vae21;
        cuda.manual_seed(3);
        var latent = randn([1, shape.LatentChannels, LatentFrames, 60, 104], device: CUDA);
        using var source = new GeneratedParts(ModelShapes.T2v14B, seed: 7, CUDA).Open(ModelPart.Vae);
        Tensor? exact = null;
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16 })
        {
            using var vae = LoadedWeights.Build(source, CUDA, type, weights => new WanVae(weights, shape));
            foreach (var frames in vae.Module.Decode(latent))
            {
                frames.Dispose(); // warm-up: cuDNN chooses its algorithms
            }

            MemoryPool.OfDevice().Trim();
            MemoryPool.OfDevice().ResetHighWater();
            var started = Stopwatch.GetTimestamp();
            var parts = vae.Module.Decode(latent).ToList();
            CudaDevice.Synchronize();
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds / LatentFrames;
            report.Figure($"{type}, a latent frame", seconds, "s");
            report.Figure($"{type}, pool's used high-water", Gibibytes.Of(MemoryPool.OfDevice().UsedHighWater), "GiB");
            var pixels = cat(parts, 2).add(1).mul(127.5);
            parts.ForEach(part => part.Dispose());
            if (exact is null)
            {
                exact = pixels;
            }
            else
            {
                var off = (pixels - exact).abs();
                report.Figure($"{type}, mean distance from float32", off.mean().item<float>(), "of 255");
                report.Figure($"{type}, largest distance from float32", off.max().item<float>(), "of 255");
            }
        }
    }
}
