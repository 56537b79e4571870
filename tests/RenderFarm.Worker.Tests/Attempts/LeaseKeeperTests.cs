using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

public sealed class LeaseKeeperTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Renew_ReplyReadAfterTheDeadline_CountsAsLost()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();

        // as after SIGSTOP: a minute passes between the renewal's sending and the reading of its reply
        await using LeaseKeeper lease = Keeper(worker, new MinuteByMinute());

        TaskCompletionSource lost = new();
        await using CancellationTokenRegistration _ = lease.Lost.Register(lost.SetResult);
        await lost.Task.WaitAsync(Soon, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cancel_AttemptOverAndUploadBegun_ReachesTheUpload()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();
        await using LeaseKeeper attempt = Keeper(worker, TimeProvider.System);
        await using LeaseKeeper upload = Keeper(worker, TimeProvider.System);
        RunningLeases running = new();
        IDisposable ofTheAttempt = running.Add("video_1", 1, attempt);
        using IDisposable ofTheUpload = running.Add("video_1", 1, upload);

        ofTheAttempt.Dispose();

        Assert.True(running.Cancel("video_1", 1));
        Assert.True(upload.Cancelled.IsCancellationRequested);
        Assert.False(attempt.Cancelled.IsCancellationRequested);
    }

    private static LeaseKeeper Keeper(WorkerUnderTest worker, TimeProvider time) => new(
        worker.Services.GetRequiredService<FarmApi>(), "video_1", fence: 1, leaseSeconds: 24, new LeaseSettings(), new LeaseProgress(RenderStage.Loading),
        strict: true, time, worker.Services.GetRequiredService<WorkerMetrics>(), NullLogger.Instance);

    private sealed class MinuteByMinute : TimeProvider
    {
        private long _minutes;

        public override long GetTimestamp() => Interlocked.Increment(ref _minutes) * 60 * TimestampFrequency;
    }
}
