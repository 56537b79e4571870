using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;

namespace RenderFarm.Rendering.Pipelines;

public static class TextToVideo
{
    public static RenderResult Render(RenderOrder order, IFrameSink frames, IRenderObserver observer, StageMeter meter, CancellationToken cancellation)
    {
        foreach (var file in (string[])[.. order.Files.Transformer, .. order.Files.TextEncoder, order.Files.Tokenizer, .. order.Files.Vae])
        {
            if (!File.Exists(file)) throw new RenderException(FailureReason.ModelUnavailable, $"{file} is missing");
        }
        throw new RenderException(FailureReason.ModelUnavailable, "this build renders nothing yet");
    }
}
