using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Rendering.Tests.Pipelines;

public sealed class NativeAllocatorGaugeTests
{
    [Fact]
    public void PeakBytes_MemoryGrowsAndGoes_IsTheMostSinceTheRestart()
    {
        long own = 10;
        var gauge = new NativeAllocatorGauge(() => own);
        gauge.RestartPeak();
        own = 70;
        Assert.Equal(70, gauge.PeakBytes());
        own = 30;
        Assert.Equal(70, gauge.PeakBytes());

        gauge.RestartPeak();
        Assert.Equal(30, gauge.PeakBytes());
    }
}
