using System.Security.Cryptography;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Spool;

/// <summary>Finished videos on their way to a store that is away, breaks off, or refuses.</summary>
public sealed class UploadSpoolTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Upload_StoreAway_WaitsInTheSpoolWhileTheSlotTakesTheNextJob()
    {
        await using var worker = await StoreAwayAsync();
        var first = worker.Desk.Queue(WorkerUnderTest.Spec);
        var second = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        await InSpoolAsync(worker, first);
        await InSpoolAsync(worker, second);
        Assert.Empty(worker.Desk.Endings);
        StoreBack(worker);

        await worker.Desk.CompletedAsync(first);
        await worker.Desk.CompletedAsync(second);
        await SpoolEmptyAsync(worker);
    }

    [Fact]
    public async Task Upload_WorkerRestarted_ResumesWithoutRenderingAgain()
    {
        await using var worker = await StoreAwayAsync();
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await InSpoolAsync(worker, job);
        var manifest = await SpoolManifest.ReadAsync(Entry(worker, job), TestContext.Current.CancellationToken);

        await worker.StopAsync();
        Assert.True(Directory.Exists(Entry(worker, job)), "a stopped worker must leave its spool");
        StoreBack(worker);
        await worker.StartAsync();

        var ending = await worker.Desk.CompletedAsync(job);
        Assert.Equal(manifest.Measurements!.RendererProcessId, ending.Measurements!.RendererProcessId);
        Assert.Equal(manifest.Files[0].Sha256, ending.Artifacts[0].Sha256);
        await SpoolEmptyAsync(worker);
    }

    [Fact]
    public async Task Upload_FenceHasLost_IsDiscarded()
    {
        await using var worker = await StoreAwayAsync();
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await InSpoolAsync(worker, job);

        worker.Desk.Lost.Add(job.JobId);

        await SpoolEmptyAsync(worker);
        Assert.Empty(worker.Desk.Endings);
    }

    [Fact]
    public async Task Upload_UserCancels_EndsAsCancelled()
    {
        await using var worker = await StoreAwayAsync();
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await InSpoolAsync(worker, job);

        worker.Desk.Cancelled.Add(job.JobId);

        Assert.Equal(FailureReason.Cancelled, (await worker.Desk.FailedAsync(job)).Reason);
        await SpoolEmptyAsync(worker);
    }

    [Fact]
    public async Task Upload_FileDamagedInTheSpool_FailsAsTransientInsteadOfStoringIt()
    {
        await using var worker = await StoreAwayAsync();
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await InSpoolAsync(worker, job);

        await File.AppendAllTextAsync(Path.Combine(Entry(worker, job), "video.mp4"), "x", TestContext.Current.CancellationToken);
        StoreBack(worker);

        var failure = await worker.Desk.FailedAsync(job);
        Assert.Equal(FailureReason.Transient, failure.Reason);
        Assert.Contains("SHA-256", failure.Message, StringComparison.Ordinal);
        Assert.Empty(worker.Store.Objects);
    }

    [Fact]
    public async Task Upload_StoreBreaksOffAndTheWorkerIsRestarted_GoesOnWithThePartsThatAreThere()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = await LeaveBehindAsync(worker);
        worker.Store.CutAfter = 2;
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Store.Taken.Count == 2 && worker.Store.Refused > 0),
            Soon,
            "the upload to be cut after two parts",
            TestContext.Current.CancellationToken
        );

        await worker.StopAsync();
        worker.Store.CutAfter = null;
        await worker.StartAsync();

        var ending = await worker.Desk.CompletedAsync(job);
        Assert.Equal([1, 2, 3], worker.Store.Taken.Order());
        Assert.Equal(worker.Store.Objects.Single().Value.Length, ending.Artifacts.Single().SizeBytes);
        await SpoolEmptyAsync(worker);
    }

    [Fact]
    public async Task Upload_LinksAreOver_AsksForNewOnes()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = await LeaveBehindAsync(worker);
        worker.Store.LinksOver = 1;
        await worker.StartAsync();

        await worker.Desk.CompletedAsync(job);

        Assert.Equal(2, worker.Store.Asked.Count);
        Assert.Equal([1, 2, 3], worker.Store.Taken.Order());
    }

    [Fact]
    public async Task Upload_RefusedForWhatItIs_FailsAfterSomeTries()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = await LeaveBehindAsync(worker);
        worker.Store.Refuses = true;
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.Transient, failure.Reason);
        Assert.Contains("refused", failure.Message, StringComparison.Ordinal);
        await SpoolEmptyAsync(worker);
    }

    [Fact]
    public async Task Upload_EndingCannotBeRecordedForAWhile_HoldsTheLeaseUntilItIs()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        worker.Desk.EndingsAway = true;
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Refusals >= 2),
            Soon,
            "the ending to be refused twice",
            TestContext.Current.CancellationToken
        );

        var before = worker.Desk.Renewals.Count;
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Renewals.Count >= before + 2),
            Soon,
            "renewals to go on",
            TestContext.Current.CancellationToken
        );
        Assert.Equal(RenderStage.Uploading, worker.Desk.Renewals.Last().Request.Stage);
        worker.Desk.EndingsAway = false;

        await worker.Desk.CompletedAsync(job);
        await SpoolEmptyAsync(worker);
    }

    [Fact]
    public async Task Upload_SpoolFull_ClosesTheSlotAndSaysSo()
    {
        await using var worker = await StoreAwayAsync();
        worker.Set("Worker:SpoolGigabytes", "0.0000001");
        var first = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await InSpoolAsync(worker, first);
        var second = worker.Desk.Queue(WorkerUnderTest.Spec);

        await Eventually.TrueAsync(
            async () => (await worker.GetAsync("/health")).Contains("Worker:SpoolGigabytes", StringComparison.Ordinal),
            Soon,
            "the worker to say so",
            TestContext.Current.CancellationToken
        );
        Assert.DoesNotContain(worker.Desk.Renewals, renewal => renewal.Job == second.JobId);
        StoreBack(worker);

        await worker.Desk.CompletedAsync(first);
        await worker.Desk.CompletedAsync(second);
    }

    [Fact]
    public async Task Resume_EntryWithoutManifest_IsRemoved()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var half = Path.Combine(worker.DataDirectory, "spool", "video_9-9");
        Directory.CreateDirectory(half);
        await File.WriteAllTextAsync(Path.Combine(half, "video.mp4"), "x", TestContext.Current.CancellationToken);

        await worker.StartAsync();

        await SpoolEmptyAsync(worker);
    }

    private static async Task<WorkerUnderTest> StoreAwayAsync()
    {
        var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Store.Away = true;
        return worker;
    }

    private static void StoreBack(WorkerUnderTest worker) => worker.Store.Away = false;

    /// <summary>A finished video of three parts, as an earlier life of this worker left it.</summary>
    private static async Task<LeaseGrant> LeaveBehindAsync(WorkerUnderTest worker)
    {
        var bytes = new byte[(2 * UploadRequest.PartBytes) + 1000];
        new Random(1).NextBytes(bytes);
        var job = worker.Desk.Grant(WorkerUnderTest.Spec);
        var entry = Directory.CreateDirectory(Entry(worker, job)).FullName;
        await File.WriteAllBytesAsync(Path.Combine(entry, "video.mp4"), bytes, TestContext.Current.CancellationToken);
        var manifest = new SpoolManifest
        {
            JobId = job.JobId,
            Fence = job.Fence,
            Token = job.Token,
            Model = job.Spec.Model,
            Files = [new SpoolFile(ArtifactKind.Video, "video.mp4", bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)))],
        };
        await manifest.WriteAsync(entry, TestContext.Current.CancellationToken);
        return job;
    }

    private static string Entry(WorkerUnderTest worker, LeaseGrant job) =>
        Path.Combine(worker.DataDirectory, "spool", job.Lease.ToString());

    private static Task InSpoolAsync(WorkerUnderTest worker, LeaseGrant job) =>
        Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    worker.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Stage == RenderStage.Uploading)
                        && Directory.Exists(Entry(worker, job))
                ),
            Soon,
            $"{job.JobId} to be uploading",
            TestContext.Current.CancellationToken
        );

    private static Task SpoolEmptyAsync(WorkerUnderTest worker) =>
        Eventually.TrueAsync(
            () => Task.FromResult(!Directory.EnumerateFileSystemEntries(Path.Combine(worker.DataDirectory, "spool")).Any()),
            Soon,
            "the spool to be empty",
            TestContext.Current.CancellationToken
        );
}
