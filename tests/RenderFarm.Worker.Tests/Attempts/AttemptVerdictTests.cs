using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Tests.Attempts;

public sealed class AttemptVerdictTests : IDisposable
{
    private static readonly EncoderEnding GoodVideo = new(5, null);
    private static readonly EncoderEnding KilledEncoder = new(
        2,
        new EncoderFault(FailureReason.EncoderFailed, "ffmpeg was ended by signal 9")
    );
    private readonly SlotDiscovery _slots = new(
        Microsoft.Extensions.Options.Options.Create(new WorkerOptions { Slots = SlotsWanted.Cpu }),
        TimeProvider.System,
        Microsoft.Extensions.Logging.Abstractions.NullLogger<SlotDiscovery>.Instance
    );
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly WorkerMetrics _metrics;

    public AttemptVerdictTests() =>
        _metrics = new WorkerMetrics(
            _slots,
            Microsoft.Extensions.Options.Options.Create(new WorkerOptions()),
            _services.GetRequiredService<IMeterFactory>()
        );

    [Fact]
    public void Of_FinishedAndEncoded_IsNoFailure() => Assert.Null(Verdict(Exit(0), GoodVideo, Finished(5)));

    [Fact]
    public void Of_KilledWhileTheKernelKilledForMemory_IsHostOutOfMemory() =>
        Assert.Equal(FailureReason.HostOutOfMemory, Verdict(Exit(137), KilledEncoder, outOfMemoryKill: true)!.Reason);

    [Fact]
    public void Of_KilledOtherwise_IsACrash() => Assert.Equal(FailureReason.RendererCrashed, Verdict(Exit(137), KilledEncoder)!.Reason);

    [Fact]
    public void Of_ExitZeroWithoutAResult_IsACrash() => Assert.Equal(FailureReason.RendererCrashed, Verdict(Exit(0), GoodVideo)!.Reason);

    [Fact]
    public void Of_RendererSawABrokenPipe_TakesTheEncodersWordForIt()
    {
        var full = new EncoderEnding(2, new EncoderFault(FailureReason.DiskFull, "disk full"));

        var verdict = Verdict(Exit(1), full, new RendererReport.Failed(FailureReason.EncoderFailed, "broken pipe"));

        Assert.Equal((FailureReason.DiskFull, "disk full"), (verdict!.Reason, verdict.Message));
    }

    [Fact]
    public void Of_RendererFailedByItself_IsNotBlamedOnTheEncoderThatWasKilledAfterIt() =>
        Assert.Equal(
            FailureReason.GpuOutOfMemory,
            Verdict(Exit(1), KilledEncoder, new RendererReport.Failed(FailureReason.GpuOutOfMemory, "no memory"))!.Reason
        );

    [Fact]
    public void Of_EncoderFailedAtTheEnd_IsTheEncoders() =>
        Assert.Equal(FailureReason.EncoderFailed, Verdict(Exit(0), KilledEncoder, Finished(5))!.Reason);

    [Fact]
    public void Of_RendererMadeOtherFrames_IsInvalidOutput() =>
        Assert.Equal(FailureReason.InvalidOutput, Verdict(Exit(0), new(4, null), Finished(4))!.Reason);

    [Fact]
    public void Of_SilentRenderer_IsATimeout() =>
        Assert.Equal(
            FailureReason.RendererTimeout,
            Verdict(new(137, Silent: true, EncoderFirst: false, TimeSpan.FromSeconds(9)), KilledEncoder)!.Reason
        );

    public void Dispose()
    {
        _services.Dispose();
        _slots.Dispose();
    }

    private static RendererEnding Exit(int code) => new(code, Silent: false, EncoderFirst: false, TimeSpan.FromSeconds(9));

    private static RendererReport.Finished Finished(int frames) => new(frames, new Measurements());

    private AttemptOutcome.Failed? Verdict(
        RendererEnding ending,
        EncoderEnding encoded,
        RendererReport? said = null,
        bool outOfMemoryKill = false
    )
    {
        var record = new AttemptRecord("cpu", "tiny", 0, TimeProvider.System, _metrics);
        if (said is not null)
        {
            record.Take(said);
        }

        return AttemptVerdict.Of(ending, record, encoded, frames: 5, outOfMemoryKill, "last words");
    }
}
