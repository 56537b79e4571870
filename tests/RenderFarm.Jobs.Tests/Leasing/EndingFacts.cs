using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class EndingsOnSqlite() : EndingFacts(new SqliteStore());

public sealed class EndingsOnPostgres() : EndingFacts(new PostgresStore());

/// <summary>One fact for each way in which a lease can end.</summary>
public abstract class EndingFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task CompleteAsync_AfterTheWholeWay_IsCompletedUnderItsFence()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        Assert.Equal(JobState.Leased, (await Farm.GetAsync(lease.Id)).State);
        Assert.Equal(24, (await Farm.RenewAsync(lease, RenderStage.Denoising, 2))!.LeaseSeconds);
        Assert.Equal(JobState.Rendering, (await Farm.GetAsync(lease.Id)).State);
        Assert.Equal(600, (await Farm.RenewAsync(lease, RenderStage.Uploading, 4))!.LeaseSeconds);
        Assert.Equal(JobState.Uploading, (await Farm.GetAsync(lease.Id)).State);

        Assert.Equal(new LeaseOutcome(JobState.Completed), await Farm.CompleteAsync(lease));
        var job = await Farm.GetAsync(lease.Id);
        Assert.Equal((JobState.Completed, RenderStage.Done, lease.Fence), (job.State, job.Stage, job.WinningFence!.Value));
        Assert.Equal($"videos/{job.Id}/{lease.Fence}-{lease.Lease.Token.Digest}/video.mp4", job.Artifacts.Single().Key);
        Assert.Equal(1, job.Attempt);
        var record = (await Farm.Jobs.LeasesAsync(job.Id, JobScope.All, Stop))!.Single();
        Assert.Equal((LeaseEnding.Completed, "all well", 0.5), (record.Ending!.Value, record.LogTail, record.Measurements!.StepSeconds));
        Assert.Equal(["video.queued", "video.started", "video.completed"], await Farm.EventTypesAsync(job.Id));
    }

    [Fact]
    public async Task CompleteAsync_Repeated_TellsTheRecordedOutcome()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var first = await Farm.CompleteAsync(lease);
        Assert.Equal(first, await Farm.CompleteAsync(lease));
        Assert.Equal(first, await Farm.FailAsync(lease, FailureReason.Transient));
        Assert.Equal(["video.queued", "video.completed"], await Farm.EventTypesAsync(lease.Id));
    }

    [Fact]
    public async Task FailAsync_NulInTheLog_IsRecordedWithoutIt()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var failure = new FailRequest
        {
            Reason = FailureReason.RendererCrashed,
            Message = "cut\0 off",
            LogTail = "core\0dumped",
        };
        Assert.NotNull(await Farm.Desk.FailAsync(new(lease.Lease, failure), Stop));
        Assert.Equal("coredumped", (await Farm.Jobs.LeasesAsync(lease.Id, JobScope.All, Stop))!.Single().LogTail);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task CompleteAsync_KeyOfAnotherLease_IsRefused(int fencesAway)
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var foreign = new LeaseId(lease.Id, lease.Fence + fencesAway, LeaseToken.New());
        var completion = new CompleteRequest
        {
            Artifacts = [new Artifact(ArtifactKind.Video, ObjectKeys.For(ArtifactKind.Video, foreign.Name), "video/mp4", 1, "00")],
        };
        await Assert.ThrowsAsync<ArgumentException>(() => Farm.Desk.CompleteAsync(new(lease.Lease, completion), Stop));
        Assert.Equal(JobState.Leased, (await Farm.GetAsync(lease.Id)).State);
    }

    [Fact]
    public async Task FailAsync_Transient_WaitsAndComesBack()
    {
        var job = await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var outcome = await Farm.FailAsync(lease, FailureReason.Transient);

        Assert.Equal(new LeaseOutcome(JobState.Queued, 2), outcome);
        Assert.Equal(outcome, await Farm.FailAsync(lease, FailureReason.Transient));
        Assert.Null(await Farm.TryLeaseAsync());
        await Farm.EndBackOffAsync(job.Id);
        var second = await Farm.LeaseAsync();
        Assert.Equal((lease.Fence + 1, 2), (second.Fence, second.Attempt));
    }

    [Fact]
    public async Task FailAsync_TransientThreeTimes_IsFailedWithItsCode()
    {
        var job = await Farm.SubmitAsync();
        for (var i = 0; i < 3; i++)
        {
            await Farm.EndBackOffAsync(job.Id);
            await Farm.FailAsync(await Farm.LeaseAsync(), FailureReason.Transient);
        }
        var ended = await Farm.GetAsync(job.Id);
        Assert.Equal((JobState.Failed, "transient", "it was Transient"), (ended.State, ended.Error!.Code, ended.Error.Message));
        Assert.Equal(3, (await Farm.Jobs.LeasesAsync(job.Id, JobScope.All, Stop))!.Count);
    }

    [Fact]
    public async Task ReleaseAsync_SlotAtFault_ChargesNothingAndKeepsItsMessage()
    {
        var job = await Farm.SubmitAsync();
        for (var lease = 0; lease <= job.MaxAttempts; lease++)
        {
            var held = await Farm.LeaseAsync();
            Assert.Equal(1, held.Attempt);
            var release = new ReleaseRequest
            {
                Reason = ReleaseReason.SlotFault,
                Message = "The video encoder of slot cpu can't write a video.",
            };
            Assert.Equal(new LeaseOutcome(JobState.Queued, 0), await Farm.Desk.ReleaseAsync(new(held.Lease, release), Stop));
        }

        var records = (await Farm.Jobs.LeasesAsync(job.Id, JobScope.All, Stop))!;
        Assert.All(
            records,
            record =>
                Assert.Equal(
                    (LeaseEnding.Released, "The video encoder of slot cpu can't write a video."),
                    (record.Ending!.Value, record.Message)
                )
        );
    }

    [Fact]
    public async Task FailAsync_GpuOutOfMemory_TakesTheNextPlanAtOnceSixTimes()
    {
        await Farm.SubmitAsync();
        for (var stepDowns = 0; stepDowns < 6; stepDowns++)
        {
            var lease = await Farm.LeaseAsync();
            Assert.Equal((stepDowns, 1), (lease.StepDowns, lease.Attempt));
            Assert.Equal(new LeaseOutcome(JobState.Queued, 0), await Farm.FailAsync(lease, FailureReason.GpuOutOfMemory));
        }
        var last = await Farm.LeaseAsync();
        Assert.Equal(JobState.Failed, (await Farm.FailAsync(last, FailureReason.GpuOutOfMemory))!.State);
        Assert.Equal("gpu_out_of_memory", (await Farm.GetAsync(last.Id)).Error!.Code);
    }

    [Fact]
    public async Task FailAsync_InvalidRequest_IsFinal()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        Assert.Equal(new LeaseOutcome(JobState.Failed), await Farm.FailAsync(lease, FailureReason.InvalidRequest));
        Assert.Equal(["video.queued", "video.failed"], await Farm.EventTypesAsync(lease.Id));
    }

    [Fact]
    public async Task FailAsync_ThreeDeathsWithoutProgress_IsPoison()
    {
        var job = await Farm.SubmitAsync(Farm.NewJob() with { MaxAttempts = 10 });
        for (var i = 0; i < 3; i++)
        {
            await Farm.EndBackOffAsync(job.Id);
            await Farm.FailAsync(await Farm.LeaseAsync(), FailureReason.RendererCrashed);
        }
        Assert.Equal("poison", (await Farm.GetAsync(job.Id)).Error!.Code);
        Assert.Null(await Farm.TryLeaseAsync());
    }

    [Fact]
    public async Task FailAsync_DeathsFurtherAlongEachTime_AreNotPoison()
    {
        var job = await Farm.SubmitAsync(Farm.NewJob() with { MaxAttempts = 10 });
        for (var step = 1; step <= 4; step++)
        {
            await Farm.EndBackOffAsync(job.Id);
            var lease = await Farm.LeaseAsync();
            await Farm.RenewAsync(lease, RenderStage.Denoising, step);
            await Farm.FailAsync(lease, FailureReason.RendererCrashed);
        }
        Assert.Equal(JobState.Queued, (await Farm.GetAsync(job.Id)).State);
    }

    [Fact]
    public async Task ReleaseAsync_HandedBack_BurnsNoAttempt()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var outcome = await Farm.ReleaseAsync(lease);
        Assert.Equal(new LeaseOutcome(JobState.Queued, 0), outcome);
        var next = await Farm.LeaseAsync();
        Assert.Equal((lease.Fence + 1, 1), (next.Fence, next.Attempt));
        Assert.Equal(outcome, await Farm.ReleaseAsync(lease));
    }

    [Fact]
    public async Task CancelAsync_QueuedJob_EndsAtOnce()
    {
        var job = await Farm.SubmitAsync();
        var cancelled = await Farm.Jobs.CancelAsync(job.Id, JobScope.OfKey(Farm.Key), Stop);
        Assert.Equal((JobState.Cancelled, "cancelled"), (cancelled!.State, cancelled.Error!.Code));
        Assert.Null(await Farm.TryLeaseAsync());
        Assert.Equal(["video.queued", "video.cancelled"], await Farm.EventTypesAsync(job.Id));
    }

    [Theory]
    [InlineData(FailureReason.Cancelled)]
    [InlineData(FailureReason.Transient)]
    public async Task CancelAsync_RunningJob_EndsWhenItsWorkerReports(FailureReason report)
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        Assert.False((await Farm.RenewAsync(lease, RenderStage.Denoising))!.Cancel);
        var asked = await Farm.Jobs.CancelAsync(lease.Id, JobScope.OfKey(Farm.Key), Stop);
        Assert.Equal((JobState.Rendering, true, Farm.Worker), (asked!.State, asked.CancelRequested, asked.WorkerId));

        Assert.True((await Farm.RenewAsync(lease, RenderStage.Denoising))!.Cancel);
        Assert.Equal(new LeaseOutcome(JobState.Cancelled), await Farm.FailAsync(lease, report));
        Assert.Equal(JobState.Cancelled, (await Farm.GetAsync(lease.Id)).State);
    }

    [Fact]
    public async Task CancelAsync_FinishedJob_StaysAsItIs()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.CompleteAsync(lease);
        Assert.Equal(JobState.Completed, (await Farm.Jobs.CancelAsync(lease.Id, JobScope.All, Stop))!.State);
    }

    [Fact]
    public async Task RetryAsync_FailedJob_RunsAgainAsTheSameVideo()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        Assert.IsType<RetryResult.WrongState>(await Farm.Jobs.RetryAsync(lease.Id, JobScope.All, Stop));
        await Farm.FailAsync(lease, FailureReason.InvalidRequest);

        Assert.IsType<RetryResult.Requeued>(await Farm.Jobs.RetryAsync(lease.Id, JobScope.All, Stop));
        var again = await Farm.LeaseAsync();
        Assert.Equal((lease.Id, lease.Fence + 1, 1), (again.Id, again.Fence, again.Attempt));
        Assert.Null((await Farm.GetAsync(again.Id)).Error);
    }

    [Fact]
    public async Task Reports_UnderAnOldFence_AreLost()
    {
        await Farm.SubmitAsync();
        var old = await Farm.LeaseAsync();
        await Farm.ExpireLeaseAsync(old.Id);
        await Farm.ReapAsync();
        var current = await Farm.LeaseAsync();

        Assert.Null(await Farm.RenewAsync(old, RenderStage.Denoising));
        Assert.Null(await Farm.CompleteAsync(old));
        Assert.Null(await Farm.FailAsync(old, FailureReason.Transient));
        Assert.Null(await Farm.ReleaseAsync(old));
        Assert.Equal((JobState.Leased, current.Fence), await StateAsync(current.Id));
        Assert.Equal(JobState.Completed, (await Farm.CompleteAsync(current))!.State);
    }

    [Fact]
    public async Task RenewAsync_LateReportFromBeforeTheUpload_ExtendsButDoesNotGoBack()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Uploading);
        Assert.Equal(600, (await Farm.RenewAsync(lease, RenderStage.Denoising))!.LeaseSeconds);
        Assert.Equal(JobState.Uploading, (await Farm.GetAsync(lease.Id)).State);
    }

    private async Task<(JobState, long)> StateAsync(string id)
    {
        var job = await Farm.GetAsync(id);
        return (job.State, job.Fence);
    }
}
