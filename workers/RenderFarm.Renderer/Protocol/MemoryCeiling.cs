using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Renderer.Protocol;

/// <summary>
/// A device that is smaller than the real one, for a job that asks for it: at every sign of life the memory that was really
/// taken is compared, and going over it ends the render the way an allocation that fails does.
/// </summary>
internal sealed class MemoryCeiling(IRenderObserver inner, IMemoryGauge gauge, long bytes) : IRenderObserver
{
    public void StageStarted(RenderStage stage)
    {
        inner.StageStarted(stage);
        Check();
    }

    public void Alive()
    {
        inner.Alive();
        Check();
    }

    public void StepDone(int step, int steps, double seconds)
    {
        Check();
        inner.StepDone(step, steps, seconds);
    }

    public void FramesWritten(int frames, int of)
    {
        Check();
        inner.FramesWritten(frames, of);
    }

    private void Check()
    {
        var peak = gauge.PeakBytes();
        if (peak <= bytes)
        {
            return;
        }

        throw new RenderException(
            FailureReason.GpuOutOfMemory,
            string.Create(
                CultureInfo.InvariantCulture,
                $"device memory ran out: {peak - bytes} bytes asked for, 0 free of the {bytes} that debug.device_memory_bytes allows"
            )
        )
        {
            RequestedBytes = peak - bytes,
            FreeBytes = 0,
        };
    }
}
