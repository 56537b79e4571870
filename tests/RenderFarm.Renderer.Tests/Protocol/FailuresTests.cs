using RenderFarm.Contracts.Leases;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Renderer.Protocol;

namespace RenderFarm.Renderer.Tests.Protocol;

public sealed class FailuresTests
{
    [Theory]
    [InlineData(
        "CUDA out of memory. Tried to allocate 20.50 MiB. GPU 0 has a total capacity of 79.10 GiB of which 5.25 MiB is free.",
        21_495_808,
        5_505_024
    )]
    [InlineData(
        "Allocation on device 0 would exceed allowed memory. (out of memory)\nCurrently allocated     : 1.00 GiB\nRequested               "
            + ": 2.00 GiB\nFree (according to CUDA): 512.00 MiB",
        2_147_483_648,
        536_870_912
    )]
    public void Classify_DeviceAllocatorFails_TellsWhatWasAskedForAndFree(string message, long requested, long free)
    {
        var failure = Failures.Classify(new InvalidOperationException(message), "cuda");

        Assert.Equal((FailureReason.GpuOutOfMemory, requested, free), (failure.Reason, failure.RequestedBytes, failure.FreeBytes));
    }

    [Fact]
    public void Classify_HostAllocatorFails_IsHostOutOfMemory()
    {
        var failure = Failures.Classify(
            new InvalidOperationException(
                "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                    + "4000000000 bytes. Error code 12"
            ),
            "cpu"
        );

        Assert.Equal((FailureReason.HostOutOfMemory, 4_000_000_000L), (failure.Reason, failure.RequestedBytes));
    }

    [Fact]
    public void Classify_CheckpointMissing_IsModelUnavailable()
    {
        var failure = Failures.Classify(
            new CheckpointException("a.safetensors", "file", "does not exist", new FileNotFoundException()),
            "cpu"
        );

        Assert.Equal(FailureReason.ModelUnavailable, failure.Reason);
    }

    [Fact]
    public void Classify_Unknown_IsACrashWithItsFirstLine()
    {
        var failure = Failures.Classify(new InvalidOperationException("first\nsecond"), "cpu");

        Assert.Equal(FailureReason.RendererCrashed, failure.Reason);
        Assert.EndsWith("first", failure.Message, StringComparison.Ordinal);
    }
}
