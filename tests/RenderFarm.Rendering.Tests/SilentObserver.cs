using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Rendering.Tests;

internal sealed class SilentObserver : IRenderObserver
{
    public void StageStarted(RenderStage stage) { }

    public void Alive() { }

    public void StepDone(int step, int steps, double seconds) { }

    public void FramesWritten(int frames, int of) { }
}
