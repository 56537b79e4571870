using System.Diagnostics;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Renderer.Protocol;

/// <summary>Turns what the pipeline says into report lines; signs of life are thinned out to one a second.</summary>
internal sealed class ReportingObserver(ReportWriter reports) : IRenderObserver
{
    private static readonly TimeSpan AliveEvery = TimeSpan.FromSeconds(1);

    private RenderStage _stage = RenderStage.Loading;
    private long _lastReport = Stopwatch.GetTimestamp();

    public void StageStarted(RenderStage stage)
    {
        _stage = stage;
        Send(new RendererReport.StageStarted(stage));
    }

    public void Alive()
    {
        if (Stopwatch.GetElapsedTime(_lastReport) >= AliveEvery)
        {
            Send(new RendererReport.Alive(_stage));
        }
    }

    public void StepDone(int step, int steps, double seconds) => Send(new RendererReport.StepDone(step, steps, seconds));

    public void FramesWritten(int frames, int of) => Send(new RendererReport.FramesWritten(frames, of));

    private void Send(RendererReport report)
    {
        reports.Write(report);
        _lastReport = Stopwatch.GetTimestamp();
    }
}
