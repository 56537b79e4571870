using System.Runtime.InteropServices;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Tools.Bench.StepCaches;

/// <summary>The frames of one run and what it took.</summary>
internal sealed class CachedRun : IFrameSink, IRenderObserver
{
    private readonly List<byte> _frames = [];

    private CachedRun() { }

    public double Seconds { get; private set; }
    public int LeftOut { get; private set; }
    public int Forwards { get; private set; }

    public static CachedRun Of(RenderOrder order)
    {
        var run = new CachedRun();
        var meter = new StageMeter();
        using var pipeline = new VideoPipeline(order, run, meter, CancellationToken.None);
        run.LeftOut = pipeline.Render(run).ForwardsLeftOut;
        run.Seconds = meter.Measured().DenoiseSeconds!.Value;
        var guided = order.Spec.GuidanceScale > 1 || order.Spec.HighNoiseGuidanceScale > 1;
        run.Forwards = order.Spec.Steps * (guided ? 2 : 1);
        return run;
    }

    public void Write(ReadOnlySpan<byte> rgb24) => _frames.AddRange(rgb24);

    public double DistanceTo(CachedRun other)
    {
        ReadOnlySpan<byte> mine = CollectionsMarshal.AsSpan(_frames),
            its = CollectionsMarshal.AsSpan(other._frames);
        var sum = 0.0;
        for (var i = 0; i < mine.Length; i++)
        {
            sum += (mine[i] - its[i]) * (double)(mine[i] - its[i]);
        }
        return Math.Sqrt(sum / mine.Length) / 255;
    }

    public void StageStarted(RenderStage stage) { }

    public void Alive() { }

    public void StepDone(int step, int steps, double seconds) { }

    public void FramesWritten(int frames, int of) { }
}
