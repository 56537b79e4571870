using System.Diagnostics;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Renderer.Protocol;

/// <summary>Turns what the pipeline says into report lines; signs of life are thinned out to one a second.</summary>
internal sealed class ReportingObserver(ReportWriter reports) : IRenderObserver
{
    private static readonly TimeSpan AliveEvery = TimeSpan.FromSeconds(1);

    private RenderStage stage = RenderStage.Loading;
    private long lastReport = Stopwatch.GetTimestamp();

    public void StageStarted(RenderStage stage)
    {
        this.stage = stage;
        Send(new RendererReport.StageStarted(stage));
    }

    public void Alive()
    {
        if (Stopwatch.GetElapsedTime(lastReport) >= AliveEvery)
            Send(new RendererReport.Alive(stage));
    }

    public void StepDone(int step, int steps, double seconds) => Send(new RendererReport.StepDone(step, steps, seconds));

    public void FramesWritten(int frames, int of) => Send(new RendererReport.FramesWritten(frames, of));

    private void Send(RendererReport report)
    {
        reports.Write(report);
        lastReport = Stopwatch.GetTimestamp();
    }
}
