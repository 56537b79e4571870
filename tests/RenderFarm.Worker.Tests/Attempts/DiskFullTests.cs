using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

/// <summary>A data directory on a file system of one megabyte.</summary>
public sealed class DiskFullTests
{
    [Fact]
    public async Task Run_DiskFillsUpWhileEncoding_FailsAsDiskFullAndOffersNothing()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            """
            say '{"type":"stage","stage":"decoding"}'
            head -c $((width * height * 3 * frames)) /dev/urandom > "$pipe"
            say '{"type":"finished","frames":'$frames',"measurements":{}}'
            """
        );
        Directory.CreateDirectory(worker.DataDirectory);
        (var mounted, _, var why) = await Processes.RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", worker.DataDirectory);
        Assert.SkipWhen(mounted != 0, "a small file system can't be mounted here (needs root): " + why.Trim());
        try
        {
            var job = worker.Desk.Queue(WorkerUnderTest.Spec with { Width = 256, Height = 256, Frames = 81 });
            await worker.StartAsync();

            var failure = await worker.Desk.FailedAsync(job);

            Assert.Equal(FailureReason.DiskFull, failure.Reason);
            Assert.Contains("Worker:DataDirectory", failure.Message, StringComparison.Ordinal);
            Assert.Empty(worker.Store.Asked);
            Assert.Empty(Directory.EnumerateFiles(worker.DataDirectory, "*.mp4*", SearchOption.AllDirectories));

            await worker.StopAsync();
        }
        finally
        {
            await Processes.RunAsync("umount", "--lazy", worker.DataDirectory);
        }
    }

    [Fact]
    public async Task Run_LessFreeDiskThanAsked_TakesNoJobAndSaysWhy()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Set("Worker:MinimumFreeDiskMegabytes", "1000000000");
        worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        await Testing.Eventually.TrueAsync(
            async () => (await worker.GetAsync("/health")).Contains("Worker:MinimumFreeDiskMegabytes", StringComparison.Ordinal),
            TimeSpan.FromSeconds(20),
            "health to say why",
            TestContext.Current.CancellationToken
        );
        Assert.Empty(worker.Desk.Renewals);
    }
}
