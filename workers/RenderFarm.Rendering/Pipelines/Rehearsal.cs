using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Cuda.Memory;
using RenderFarm.Rendering.Loading;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// What an order ahead of its job comes to: the model renders the smallest video into nothing. Afterwards its prepared weights are
/// mapped and page-locked, its other files are in memory, and every kernel and library has run once; of the device it holds no more
/// than a context.
/// </summary>
public static class Rehearsal
{
    private const int Side = 128;
    private const int Frames = 5;

    /// <param name="held">Gets the weights.</param>
    /// <exception cref="RenderException">Its job would fail as well.</exception>
    /// <exception cref="OperationCanceledException">Something better to do has come; what is held already stays.</exception>
    public static void Run(RenderOrder ahead, HeldBlocks held, CancellationToken cancellationToken)
    {
        try
        {
            var order = Smallest(ahead);
            if (order.Shape.NeedsFirstFrame)
            {
                Load(order, held, cancellationToken);
                return;
            }

            using var pipeline = new VideoPipeline(order, new Nobody(), new StageMeter(), cancellationToken, held: held);
            pipeline.Render(new Nowhere());
        }
        finally
        {
            if (ahead.Plan.Device == "cuda")
            {
                MemoryPool.OfDevice().Trim();
            }
        }
    }

    /// <summary>Without a picture there is nothing to render.</summary>
    private static void Load(RenderOrder order, HeldBlocks held, CancellationToken cancellationToken)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var parts = new CheckpointParts(order.Files, order.Shape);
        using var components = new Components(order, parts, cancellationToken.ThrowIfCancellationRequested, held);
        components.Require();
        components.PromptEncoder().Dispose();
        components.TrimMemory();
        ModelPart[] experts = [ModelPart.TransformerLowNoise, ModelPart.Transformer];
        foreach (var part in experts[^order.Shape.Experts..])
        {
            cancellationToken.ThrowIfCancellationRequested();
            components.Transformer(part).Dispose();
            components.TrimMemory();
        }
    }

    private static RenderOrder Smallest(RenderOrder order)
    {
        var side = Math.Max(Side, 2 * order.Shape.Vae.SpatialStride);
        var experts = order.Shape.Experts;
        return order with
        {
            Ahead = true,
            InputFiles = new Dictionary<string, string>(),
            Plan = order.Plan with
            {
                FfnChunkTokens = 0,
                VaeTile = 0,
                VaeEncodeTile = 0,
                GuidanceBatched = false,
            },
            Spec = order.Spec with
            {
                Prompt = "a",
                NegativePrompt = "",
                Width = side,
                Height = side,
                Frames = Frames,
                Steps = experts,
                BoundaryStep = experts == 2 ? 1 : null,
                GuidanceScale = 1,
                HighNoiseGuidanceScale = null,
                Loras = [],
                StepCache = null,
                Debug = null,
            },
        };
    }

    private sealed class Nobody : IRenderObserver
    {
        public void StageStarted(RenderStage stage) { }

        public void Alive() { }

        public void StepDone(int step, int steps, double seconds) { }

        public void FramesWritten(int frames, int of) { }
    }

    private sealed class Nowhere : IFrameSink
    {
        public void Write(ReadOnlySpan<byte> rgb24) { }
    }
}
