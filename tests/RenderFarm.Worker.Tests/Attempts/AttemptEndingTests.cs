using System.Security.Cryptography;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

/// <summary>One test for each way an attempt can end: a whole worker, real processes, real sockets.</summary>
public sealed class AttemptEndingTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Run_GoodRender_UploadsUnderItsFenceAndCompletes()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var ending = await worker.Desk.CompletedAsync(job);

        Assert.Equal([ArtifactKind.Video, ArtifactKind.Thumbnail, ArtifactKind.Spritesheet], ending.Artifacts.Select(a => a.Kind));
        foreach (var artifact in ending.Artifacts)
        {
            var kind = UploadKinds.Of(artifact.Kind);
            Assert.Equal((StoreDesk.KeyOf(job.Lease, kind), UploadKinds.ContentType(kind)), (artifact.Key, artifact.ContentType));
            var stored = worker.Store.Objects[artifact.Key];
            Assert.Equal((artifact.SizeBytes, artifact.Sha256), (stored.Length, Convert.ToHexStringLower(SHA256.HashData(stored))));
        }

        Assert.Empty(worker.Store.KeysSeen);
        Assert.Equal(1000, ending.Measurements!.PeakBytes);
        Assert.NotNull(ending.Measurements.SecondsToFirstStep);
        Assert.NotNull(ending.Measurements.UploadSeconds);
        Assert.NotNull(ending.Measurements.RendererProcessId);
        List<RenewRequest> renewals = [.. worker.Desk.Renewals.Where(r => r.Job == job.JobId).Select(r => r.Request)];
        Assert.Single(renewals, r => r.Plan is not null);
        Assert.Contains(renewals, r => r.Stage == RenderStage.Uploading);
        Assert.All(renewals, r => Assert.Equal((job.Fence, job.Token), (r.Fence, r.Token)));
        await Eventually.TrueAsync(
            () => Task.FromResult(Left(worker) == ""),
            Soon,
            "scratch and spool to be empty",
            TestContext.Current.CancellationToken
        );
    }

    [Fact]
    public async Task Run_RendererTakesItsTimeToEnd_VideoIsEndedMeanwhile()
    {
        // It ends only after the encoder has: an MP4 gets its index at its end
        await using var worker = await WorkerUnderTest.CreateAsync(
            StubRenderer.Good + "\nuntil grep -qa moov \"${pipe%/*}/video.mp4.part\"; do sleep 0.05; done\n"
        );
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        Assert.Contains((await worker.Desk.CompletedAsync(job)).Artifacts, artifact => artifact.Kind == ArtifactKind.Video);
    }

    [Fact]
    public async Task Run_RendererKilled_FailsAsCrashedAndTheSlotGoesOn()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        var first = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        var renderer = await RendererAtWorkAsync(worker, first);

        Processes.Kill(renderer);
        var failure = await worker.Desk.FailedAsync(first);

        Assert.Equal(FailureReason.RendererCrashed, failure.Reason);
        Assert.Contains("signal 9", failure.Message, StringComparison.Ordinal);
        var second = worker.Desk.Queue(WorkerUnderTest.Spec);
        Assert.NotEqual(renderer, await RendererAtWorkAsync(worker, second));
    }

    [Fact]
    public async Task Run_RendererReportsFailure_PassesOnItsReasonWithTheLogTail()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            """
            echo 'the log says more' >&2
            measured='"measurements":{"requested_bytes":3}'
            say '{"type":"failed","reason":"gpu_out_of_memory","message":"asked for 3 GiB, 1 GiB was free",'"$measured"'}'
            exit 1
            """
        );
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(
            (FailureReason.GpuOutOfMemory, "asked for 3 GiB, 1 GiB was free", 3L),
            (failure.Reason, failure.Message, failure.Measurements!.RequestedBytes)
        );
        Assert.Contains("the log says more", failure.LogTail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_RendererSilent_IsKilledAndFailsAsTimeout()
    {
        await using var worker = await WorkerUnderTest.CreateAsync("sleep 600 & wait");
        worker.Set("Worker:SilenceSeconds", "1");
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.RendererTimeout, failure.Reason);
        await NothingRunsAsync(worker);
    }

    [Fact]
    public async Task Run_EncoderKilled_FailsAsEncoderAndTheRendererGoes()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await RendererAtWorkAsync(worker, job);

        Processes.Kill(Processes.Under(worker.DataDirectory, "video.mp4.part").Single());
        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.EncoderFailed, failure.Reason);
        Assert.Contains("signal 9", failure.Message, StringComparison.Ordinal);
        await NothingRunsAsync(worker);
    }

    [Fact]
    public async Task Run_FewerFramesThanPromised_IsNeverOffered()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            """
            head -c $((width * height * 3 * (frames - 1))) /dev/zero > "$pipe"
            say '{"type":"finished","frames":'$frames',"measurements":{}}'
            """
        );
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.EncoderFailed, failure.Reason);
        Assert.Contains("4 frames", failure.Message, StringComparison.Ordinal);
        Assert.Empty(worker.Store.Asked);
    }

    [Fact]
    public async Task Run_UserCancels_KillsTheRendererAndSaysCancelled()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await RendererAtWorkAsync(worker, job);

        worker.Desk.Cancelled.Add(job.JobId);
        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.Cancelled, failure.Reason);
        await NothingRunsAsync(worker);
    }

    [Fact]
    public async Task Run_LeaseLost_KillsTheRendererAndReportsNothing()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await RendererAtWorkAsync(worker, job);

        worker.Desk.Lost.Add(job.JobId);
        await NothingRunsAsync(worker);

        // The slot has gone on to the next job, so the lost one has been dealt with
        var next = worker.Desk.Queue(WorkerUnderTest.Spec);
        await RendererAtWorkAsync(worker, next);
        Assert.Empty(worker.Desk.Endings);
    }

    [Fact]
    public async Task Run_ApiAwayWithinTheLease_GoesOnAndCompletes()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            $"until [ -e ${{0%/*}}/go ]; do say '{{\"type\":\"alive\",\"stage\":\"denoising\"}}'; sleep 0.1; done\n{StubRenderer.Good}"
        );
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        var renderer = await RendererAtWorkAsync(worker, job, step: 0);

        worker.Desk.Away = true;
        await File.WriteAllTextAsync(Path.Combine(worker.Folder, "go"), "", TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () => Task.FromResult(Directory.Exists(Path.Combine(worker.DataDirectory, "spool", job.Lease.ToString()))),
            Soon,
            "the video to be in the spool",
            TestContext.Current.CancellationToken
        );
        worker.Desk.Away = false;

        var ending = await worker.Desk.CompletedAsync(job);
        Assert.Equal(renderer, ending.Measurements!.RendererProcessId);
    }

    [Fact]
    public async Task Run_ApiAwayAndNoOrphansWanted_KillsTheRendererBeforeTheLeaseEnds()
    {
        var settings = new LeaseSettings
        {
            LeaseSeconds = 10,
            RenewSeconds = 0.2,
            RenewRetrySeconds = 0.2,
            KillMarginSeconds = 6,
        };
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless, settings);
        worker.Set("Worker:OrphanMinutes", "0");
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await RendererAtWorkAsync(worker, job);

        var away = TimeProvider.System.GetTimestamp();
        worker.Desk.Away = true;
        await NothingRunsAsync(worker);

        // Counted from the last renewal that got through, which was before "away"
        Assert.InRange(TimeProvider.System.GetElapsedTime(away).TotalSeconds, 0, settings.LeaseSeconds);
        Assert.Empty(worker.Desk.Endings);
    }

    [Fact]
    public async Task Run_RendererEnvironment_HoldsNoKeys()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            """
            env >&2; cat /proc/$PPID/environ 2>/dev/null | head -c 0
            exit 7
            """
        );
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        Environment.SetEnvironmentVariable("Worker__ApiKey", "rf_secret");
        Environment.SetEnvironmentVariable("Artifacts__SecretKey", "s3_secret");
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.RendererCrashed, failure.Reason);
        Assert.Contains("code 7", failure.Message, StringComparison.Ordinal);
        Assert.Contains("PATH=", failure.LogTail, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.LogTail, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Run_ModelNotHere_FailsAsModelUnavailable()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec with { Model = "t2v-14b" });
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.ModelUnavailable, failure.Reason);
        Assert.Contains("t2v-14b", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OutOfMemoryStepDowns_PlansFurtherDownUntilNothingFits()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec, stepDowns: 1_000);
        await worker.StartAsync();

        Assert.Equal(FailureReason.PlanDoesNotFit, (await worker.Desk.FailedAsync(job)).Reason);
    }

    [Fact]
    public async Task Metrics_AfterAJob_ShowOutcomeStagesStepsAndPeaks()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await worker.Desk.CompletedAsync(job);

        var metrics = await worker.MetricsAsync();

        Assert.Contains("renderfarm_attempts_total{", metrics, StringComparison.Ordinal);
        Assert.Contains("outcome=\"rendered\"", metrics, StringComparison.Ordinal);
        Assert.Contains("renderfarm_stage_duration_seconds_count{", metrics, StringComparison.Ordinal);
        Assert.Contains("renderfarm_step_duration_seconds_count{", metrics, StringComparison.Ordinal);
        foreach (
            var name in new[]
            {
                "renderfarm_slot_busy", "renderfarm_slot_memory_used_bytes", "renderfarm_spool_entries",
                "renderfarm_peak_predicted_bytes", "renderfarm_peak_measured_bytes",
            }
        )
        {
            Assert.Contains(name, metrics, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Metrics_OfAnotherWorkerInThisProcess_AreNotThisOnes()
    {
        await using var idle = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await using var busy = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await idle.StartAsync();
        await busy.StartAsync();

        await busy.Desk.CompletedAsync(busy.Desk.Queue(WorkerUnderTest.Spec));

        Assert.Contains("renderfarm_attempts_total{", await busy.MetricsAsync(), StringComparison.Ordinal);
        var others = await idle.MetricsAsync();
        Assert.DoesNotContain("renderfarm_attempts_total{", others, StringComparison.Ordinal);
        Assert.Equal(1, others.Split("\nrenderfarm_slot_busy{").Length - 1);
    }

    /// <returns>The renderer's process id, once it has done a step of this job and the desk knows of it.</returns>
    private static async Task<int> RendererAtWorkAsync(WorkerUnderTest worker, LeaseGrant job, int step = 1)
    {
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    worker.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Stage == RenderStage.Denoising && r.Request.Step >= step)
                ),
            Soon,
            $"{job.JobId} to be denoising",
            TestContext.Current.CancellationToken
        );
        return Processes.LeaderUnder(worker.Settings["Worker:RendererPath"]!);
    }

    private static Task NothingRunsAsync(WorkerUnderTest worker) =>
        Eventually.TrueAsync(
            () => Task.FromResult(Processes.Under(worker.Folder).Count == 0),
            Soon,
            "renderer and encoder to be gone",
            TestContext.Current.CancellationToken
        );

    private static string Left(WorkerUnderTest worker) =>
        string.Join(
            ' ',
            Directory
                .EnumerateFileSystemEntries(worker.DataDirectory, "*", SearchOption.AllDirectories)
                .Select(Path.GetFileName)
                .Where(n => n is not ("attempts" or "spool" or "worker.lock" or "identity"))
        );
}
