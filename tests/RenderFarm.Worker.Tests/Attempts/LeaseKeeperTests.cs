using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

public sealed class LeaseKeeperTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly LeaseId Lease = new("video_1", 1, LeaseToken.New());

    [Fact]
    public async Task Renew_ReplyReadAfterTheDeadline_IsNoNewsAndAsksAgain()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();

        // As after SIGSTOP: a minute passes between the renewal's sending and the reading of its reply
        await using var lease = Keeper(worker, new MinuteByMinute());
        var renewed = lease.RenewedAsync(TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Renewals.Count >= 3),
            Soon,
            "the lease to be asked for again and again",
            TestContext.Current.CancellationToken
        );
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.False(renewed.IsCompleted);
    }

    [Fact]
    public async Task Renew_NeverConfirmed_IsGivenUpBeforeTheLeaseEndsWhateverTheOrphansMayDo()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();
        worker.Desk.Away = true;
        var sent = TimeProvider.System.GetTimestamp();

        await using var lease = Keeper(worker, TimeProvider.System, leaseSeconds: 4);

        var lost = new TaskCompletionSource();
        await using var _ = lease.Lost.Register(lost.SetResult);
        await lost.Task.WaitAsync(Soon, TestContext.Current.CancellationToken);
        Assert.Equal(LeaseLoss.Unconfirmed, lease.Loss);
        Assert.True(TimeProvider.System.GetElapsedTime(sent).TotalSeconds >= 2, "it was believed in as long as nobody else could have it");
    }

    [Fact]
    public async Task RenewedAsync_ApiAway_CompletesWhenItIsBack()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();
        await using var lease = Keeper(worker, TimeProvider.System);
        await lease.RenewedAsync(TestContext.Current.CancellationToken).WaitAsync(Soon, TestContext.Current.CancellationToken);

        worker.Desk.Away = true;
        var renewed = lease.RenewedAsync(TestContext.Current.CancellationToken);
        var cut = worker.Desk.Cut;
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Cut > cut + 1),
            Soon,
            "renewals to be cut",
            TestContext.Current.CancellationToken
        );
        Assert.False(renewed.IsCompleted);
        worker.Desk.Away = false;

        await renewed.WaitAsync(Soon, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cancel_AttemptOverAndUploadBegun_ReachesTheUpload()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();
        await using var attempt = Keeper(worker, TimeProvider.System);
        await using var upload = Keeper(worker, TimeProvider.System);
        var running = new RunningLeases();
        var ofTheAttempt = running.Add(Lease.Name, attempt);
        using var ofTheUpload = running.Add(Lease.Name, upload);

        ofTheAttempt.Dispose();

        Assert.True(running.Cancel(Lease.Name));
        Assert.True(upload.Cancelled.IsCancellationRequested);
        Assert.False(attempt.Cancelled.IsCancellationRequested);
    }

    [Fact]
    public async Task Report_EachStep_IsToldWithoutWaitingForARenewal()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();
        await using var lease = Keeper(worker, TimeProvider.System);

        for (var step = 1; step <= 5; step++)
        {
            lease.Report(RenderStage.Denoising, step, 5);
            await Eventually.TrueAsync(
                () => Task.FromResult(worker.Desk.Progress.Any(p => p.Step == step)),
                Soon,
                $"step {step} to be told",
                TestContext.Current.CancellationToken
            );
        }

        Assert.Equal([1, 2, 3, 4, 5], worker.Desk.Progress.Select(p => p.Step));
        Assert.All(worker.Desk.Progress, p => Assert.Equal((1, RenderStage.Denoising, 5), (p.Fence, p.Stage, p.Steps)));
    }

    private static LeaseKeeper Keeper(WorkerUnderTest worker, TimeProvider time, double leaseSeconds = 24) =>
        new(
            worker.Services.GetRequiredService<FarmApi>(),
            Lease,
            new LeaseTerms(new LeaseSettings(), leaseSeconds, TimeSpan.FromMinutes(15)),
            new LeaseProgress(RenderStage.Loading),
            time,
            worker.Services.GetRequiredService<WorkerMetrics>(),
            NullLogger.Instance
        );

    private sealed class MinuteByMinute : TimeProvider
    {
        private long _minutes;

        public override long GetTimestamp() => Interlocked.Increment(ref _minutes) * 60 * TimestampFrequency;
    }
}
