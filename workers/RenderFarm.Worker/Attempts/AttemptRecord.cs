using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Tracing;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// What a renderer has said so far, and when. Written by the listening loop only; read after it has ended.
/// </summary>
internal sealed class AttemptRecord(string slot, string model, long leasedAt, TimeProvider time, WorkerMetrics metrics)
{
    private RenderStage? _stage;
    private long _stageSince;
    private RendererReport.Ready? _ready;
    private double? _secondsToFirstStep;

    public RendererReport.Finished? Finished { get; private set; }
    public RendererReport.Failed? Failed { get; private set; }

    /// <summary>Set before the first report.</summary>
    public RenderStart Start { get; set; }

    /// <summary>Of weights, as planned for a step; set before the first report.</summary>
    public long StreamedBytesPerStep { get; set; }

    /// <summary>What goes on in the renderer, for the trace.</summary>
    public RenderSpans Spans { get; init; } = new(null);

    /// <returns>What the lease's next renewal should say, or null when nothing changed for it.</returns>
    public LeaseProgress? Take(RendererReport report)
    {
        switch (report)
        {
            case RendererReport.Ready ready:
                _ready = ready;
                metrics.RendererReady(slot, ready.StartSeconds);
                return null;
            case RendererReport.StageStarted started:
                Enter(started.Stage);
                return new LeaseProgress(started.Stage);
            case RendererReport.StepDone step:
                metrics.StepDone(slot, model, step.Seconds, StreamedBytesPerStep);
                return new LeaseProgress(RenderStage.Denoising, step.Step, step.Steps);
            case RendererReport.FramesWritten frames:
                return new LeaseProgress(RenderStage.Decoding, frames.Frames, frames.Of);
            case RendererReport.Finished finished:
                Finished = finished;
                CloseStage();
                Spans.Enter(RenderStage.EncodingVideo);
                return new LeaseProgress(RenderStage.EncodingVideo);
            case RendererReport.Failed failed:
                Failed = failed;
                CloseStage();
                Spans.Leave();
                return null;
            default:
                return null;
        }
    }

    /// <summary>The renderer's figures, and those that only this side knows.</summary>
    public Measurements Measured(string card)
    {
        var reported = Finished?.Measurements ?? Failed?.Measurements ?? new Measurements();
        return reported with
        {
            Card = card,
            SecondsToFirstStep = _secondsToFirstStep,
            RendererProcessId = reported.RendererProcessId ?? _ready?.ProcessId,
            ProcessStartSeconds = reported.ProcessStartSeconds ?? _ready?.StartSeconds,
        };
    }

    private void Enter(RenderStage stage)
    {
        CloseStage();
        Spans.Enter(stage);
        (_stage, _stageSince) = (stage, time.GetTimestamp());
        if (stage == RenderStage.Denoising && _secondsToFirstStep is null)
        {
            _secondsToFirstStep = time.GetElapsedTime(leasedAt).TotalSeconds;
            metrics.FirstStepBegun(model, Start, _secondsToFirstStep.Value);
        }
    }

    private void CloseStage()
    {
        if (_stage is { } stage)
        {
            metrics.StageDone(model, stage, time.GetElapsedTime(_stageSince));
        }

        _stage = null;
    }
}
