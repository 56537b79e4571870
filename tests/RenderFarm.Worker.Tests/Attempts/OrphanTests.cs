using System.Security.Cryptography;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

/// <summary>What becomes of a render, and of a finished video, while nobody can say whose the job is.</summary>
public sealed class OrphanTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    /// <summary>Over after two seconds, and asked for five times a second.</summary>
    private static readonly LeaseSettings Short =
        new()
        {
            LeaseSeconds = 2,
            RenewSeconds = 0.2,
            RenewRetrySeconds = 0.2,
            KillMarginSeconds = 1,
        };

    /// <summary>Denoises until there is a file of that name beside it, then renders.</summary>
    private const string UntilGo =
        "until [ -e ${0%/*}/go ]; do say '{\"type\":\"alive\",\"stage\":\"denoising\"}'; sleep 0.1; done\n" + StubRenderer.Good;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ApiAwayBeyondTheLease_RendersOnSpoolsAndCompletesUnderTheSameLease()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(UntilGo, Short);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        var renderer = await AtWorkAsync(worker, job);

        worker.Desk.Away = true;
        await PastTheLeaseAsync(worker);
        Assert.Contains(renderer, Processes.Under(worker.Folder));
        await GoAsync(worker);
        await SpooledAsync(worker, job);
        worker.Desk.Away = false;

        var ending = await worker.Desk.CompletedAsync(job);
        Assert.Equal((renderer, job.Fence), (ending.Measurements!.RendererProcessId, ending.Fence));
    }

    [Theory]
    [InlineData(401, "invalid_api_key")]
    [InlineData(404, "not_found")]
    [InlineData(403, "missing_scope")]
    [InlineData(503, "unavailable")]
    public async Task Run_ApiHasForgottenBeyondTheLease_RendersOnAndCompletes(int status, string code)
    {
        await using var worker = await WorkerUnderTest.CreateAsync(UntilGo, Short);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        var renderer = await AtWorkAsync(worker, job);

        worker.Desk.Refusal = (status, code);
        var refusals = worker.Desk.Refusals;
        await Eventually.TrueAsync(() => Task.FromResult(worker.Desk.Refusals >= refusals + 20), Soon, "twenty refusals", Stop);
        Assert.Contains(renderer, Processes.Under(worker.Folder));
        worker.Desk.Refusal = null;
        await GoAsync(worker);

        Assert.Equal(renderer, (await worker.Desk.CompletedAsync(job)).Measurements!.RendererProcessId);
    }

    [Fact]
    public async Task Run_KeyRevoked_StopsAtOnceAndReportsNothing()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await AtWorkAsync(worker, job);

        worker.Desk.Refusal = (401, "key_revoked");

        await NothingRunsAsync(worker);
        await DiscardedAsync(worker, "key_revoked");
        Assert.Empty(worker.Desk.Endings);
    }

    [Fact]
    public async Task Run_JobTakenByAnotherMeanwhile_StopsAtTheFirstRenewalThatGetsThrough()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless, Short);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        var renderer = await AtWorkAsync(worker, job);
        worker.Desk.Away = true;
        await PastTheLeaseAsync(worker);
        Assert.Contains(renderer, Processes.Under(worker.Folder));

        worker.Desk.Lost.Add(job.JobId);
        worker.Desk.Away = false;

        await NothingRunsAsync(worker);
        await DiscardedAsync(worker, "taken");
        Assert.Empty(worker.Desk.Endings);
    }

    [Fact]
    public async Task Run_CancelledWhileAway_StopsAtTheFirstRenewalThatGetsThrough()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless, Short);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await AtWorkAsync(worker, job);
        worker.Desk.Away = true;
        await PastTheLeaseAsync(worker);

        worker.Desk.Cancelled.Add(job.JobId);
        worker.Desk.Away = false;

        Assert.Equal(FailureReason.Cancelled, (await worker.Desk.FailedAsync(job)).Reason);
    }

    [Fact]
    public async Task Run_AwayForLongerThanOrphansMay_IsGivenUp()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless, Short);
        worker.Set("Worker:OrphanMinutes", "0.05");
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await AtWorkAsync(worker, job);

        worker.Desk.Away = true;

        await NothingRunsAsync(worker);
        await DiscardedAsync(worker, "orphaned");
        Assert.Empty(worker.Desk.Endings);
    }

    [Fact]
    public async Task Run_FailedWhileAway_IsReportedWhenTheApiIsBack()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            "until [ -e ${0%/*}/go ]; do say '{\"type\":\"alive\",\"stage\":\"denoising\"}'; sleep 0.1; done\nexit 7",
            Short
        );
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await AtWorkAsync(worker, job);
        worker.Desk.Away = true;
        await GoAsync(worker);
        await NothingRunsAsync(worker);
        await PastTheLeaseAsync(worker, calls: 2);
        worker.Desk.Away = false;

        Assert.Equal(FailureReason.RendererCrashed, (await worker.Desk.FailedAsync(job)).Reason);
    }

    [Fact]
    public async Task Run_InputDoesNotCome_IsAskedForAgainOnceTheLeaseIsRenewed()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Desk.InputsToCut = 2;
        var job = worker.Desk.Queue(WorkerUnderTest.Spec, [Picture(worker)]);
        await worker.StartAsync();

        await worker.Desk.CompletedAsync(job);
        Assert.Equal(3, worker.Desk.InputsAsked);
    }

    [Fact]
    public async Task Run_InputIsNotWhatWasPromised_FailsThoughTheApiIsThere()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec, [Picture(worker) with { Sha256 = new string('0', 64) }]);
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);
        Assert.Equal(FailureReason.Transient, failure.Reason);
        Assert.Contains("SHA-256", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_JobUnknown_IsKeptAndOfferedAgainAtTheNextStart()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(UntilGo);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await UnknownOnceRenderedAsync(worker, job);

        await worker.StopAsync();
        worker.Desk.Unknown.Remove(job.JobId);
        await worker.StartAsync();

        Assert.Equal(job.Fence, (await worker.Desk.CompletedAsync(job)).Fence);
        await Eventually.TrueAsync(() => Task.FromResult(!Directory.Exists(Unclaimed(worker, job))), Soon, "the entry to go", Stop);
    }

    [Fact]
    public async Task Upload_NeverClaimed_IsRemovedAfterAWeek()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(UntilGo);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await UnknownOnceRenderedAsync(worker, job);
        await worker.StopAsync();
        var longAgo = TimeProvider.System.GetUtcNow() - UnclaimedVideos.KeptFor - TimeSpan.FromMinutes(1);
        Directory.SetLastWriteTimeUtc(Unclaimed(worker, job), longAgo.UtcDateTime);

        await worker.StartAsync();

        await Eventually.TrueAsync(() => Task.FromResult(!Directory.Exists(Unclaimed(worker, job))), Soon, "the entry to go", Stop);
        await DiscardedAsync(worker, "unclaimed");
    }

    /// <summary>The database was replaced while the job rendered.</summary>
    private static async Task UnknownOnceRenderedAsync(WorkerUnderTest worker, LeaseGrant job)
    {
        await worker.StartAsync();
        await AtWorkAsync(worker, job);
        worker.Desk.Unknown.Add(job.JobId);
        await GoAsync(worker);
        await Eventually.TrueAsync(() => Task.FromResult(Directory.Exists(Unclaimed(worker, job))), Soon, "it to be unclaimed", Stop);
    }

    private static JobInput Picture(WorkerUnderTest worker)
    {
        var bytes = "a picture"u8.ToArray();
        worker.Desk.Inputs["image"] = bytes;
        return new JobInput("image", "/inputs/image", "image/png", bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private static string Unclaimed(WorkerUnderTest worker, LeaseGrant job) =>
        Path.Combine(worker.DataDirectory, "spool", UnclaimedVideos.FolderName, job.Lease.ToString());

    /// <summary>Calls come a fifth of a second apart: so many take longer than the lease.</summary>
    private static Task PastTheLeaseAsync(WorkerUnderTest worker, int calls = 15)
    {
        var cut = worker.Desk.Cut;
        return Eventually.TrueAsync(() => Task.FromResult(worker.Desk.Cut >= cut + calls), Soon, "the lease to be over", Stop);
    }

    private static Task GoAsync(WorkerUnderTest worker) => File.WriteAllTextAsync(Path.Combine(worker.Folder, "go"), "", Stop);

    private static Task SpooledAsync(WorkerUnderTest worker, LeaseGrant job) =>
        Eventually.TrueAsync(
            () => Task.FromResult(Directory.Exists(Path.Combine(worker.DataDirectory, "spool", job.Lease.ToString()))),
            Soon,
            "the video to be in the spool",
            Stop
        );

    private static async Task<int> AtWorkAsync(WorkerUnderTest worker, LeaseGrant job)
    {
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Stage == RenderStage.Denoising)),
            Soon,
            $"{job.JobId} to be denoising",
            Stop
        );
        return Processes.LeaderUnder(worker.Settings["Worker:RendererPath"]!);
    }

    private static Task NothingRunsAsync(WorkerUnderTest worker) =>
        Eventually.TrueAsync(() => Task.FromResult(Processes.Under(worker.Folder).Count == 0), Soon, "both children to be gone", Stop);

    private static Task DiscardedAsync(WorkerUnderTest worker, string reason) =>
        Eventually.TrueAsync(
            async () =>
                (await worker.MetricsAsync())
                    .Split('\n')
                    .Any(line =>
                        line.StartsWith("renderfarm_renders_discarded_total{", StringComparison.Ordinal)
                        && line.Contains($"reason=\"{reason}\"", StringComparison.Ordinal)
                    ),
            Soon,
            $"a discarded render with the reason {reason}",
            Stop
        );
}
