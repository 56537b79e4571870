using RenderFarm.Contracts.Rendering;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Renderer;

/// <summary>Chooses the pipeline of an order.</summary>
internal static class RenderJob
{
    public static RenderResult Run(
        RenderOrder order,
        IFrameSink frames,
        IRenderObserver observer,
        StageMeter meter,
        CancellationToken cancellationToken
    )
    {
        using var pipeline = new VideoPipeline(order, observer, meter, cancellationToken);
        return pipeline.Render(frames);
    }
}
