using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class RevivalOnSqlite() : RevivalFacts(new SqliteStore());

public sealed class RevivalOnPostgres() : RevivalFacts(new PostgresStore());

/// <summary>A lease was taken for lost, and its worker is back: before another has the job, nothing was lost.</summary>
public abstract class RevivalFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task RenewAsync_LostAndNotTaken_IsHeldAgainAndGetsBackWhatTheLossCounted()
    {
        var revived = 0;
        Farm.Database.LeasesRevived += count => revived += count;
        var lease = await LostAsync();
        Assert.Equal((JobState.Queued, 1), await StateAsync(lease.Id));

        Assert.Equal(24, (await Farm.RenewAsync(lease, RenderStage.Denoising, 3))!.LeaseSeconds);

        var job = await Farm.GetAsync(lease.Id);
        Assert.Equal(
            (JobState.Rendering, 0, 3, lease.Fence, Farm.Worker, "cpu"),
            (job.State, job.Failures, job.Step, job.Fence, job.WorkerId, job.SlotId)
        );
        var record = (await Farm.Jobs.LeasesAsync(lease.Id, JobScope.All, Stop))!.Single();
        Assert.Equal((null, null, null, null), (record.Ending, record.EndedAt, record.Reason, record.Outcome));
        Assert.Equal(["video.queued", "video.started", "video.queued", "video.started"], await Farm.EventTypesAsync(lease.Id));
        Assert.Equal(1, revived);
        Assert.Null(await Farm.TryLeaseAsync());
        Assert.Equal(JobState.Completed, (await Farm.CompleteAsync(lease))!.State);
    }

    /// <summary>Three would be poison.</summary>
    [Fact]
    public async Task RenewAsync_LostAndBackAgainAndAgain_NeverComesToPoison()
    {
        var lease = await LostAsync(Farm.NewJob() with { MaxAttempts = 2 });
        for (var turn = 0; turn < 5; turn++)
        {
            Assert.NotNull(await Farm.RenewAsync(lease, RenderStage.Denoising, 1));
            await LoseAsync(lease);
            Assert.Equal((JobState.Queued, 1), await StateAsync(lease.Id));
        }

        Assert.NotNull(await Farm.RenewAsync(lease, RenderStage.Denoising, 1));
    }

    [Fact]
    public async Task RenewAsync_LostWhileUploading_IsUploadingAgain()
    {
        var lease = await LostAsync();

        Assert.Equal(600, (await Farm.RenewAsync(lease, RenderStage.Uploading, 4))!.LeaseSeconds);
        Assert.Equal((JobState.Uploading, 0), await StateAsync(lease.Id));
    }

    [Fact]
    public async Task RenewAsync_LostBeforeItWasTakenUp_IsTakenUp()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await LoseAsync(lease);

        Assert.NotNull(await Farm.RenewAsync(lease, RenderStage.Loading));
        Assert.Equal((JobState.Rendering, 0), await StateAsync(lease.Id));
        Assert.NotNull((await Farm.GetAsync(lease.Id)).StartedAt);
    }

    /// <summary>It says what the next report would find, and does nothing of it.</summary>
    [Fact]
    public async Task StandsAsync_HeldOrToBeRevived_IsTrueAndChangesNothing()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        Assert.True(await Farm.Desk.StandsAsync(lease.Lease, Stop));
        await Farm.RenewAsync(lease, RenderStage.Uploading, 4);
        Assert.True(await Farm.Desk.StandsAsync(lease.Lease, Stop));

        await LoseAsync(lease);
        Assert.True(await Farm.Desk.StandsAsync(lease.Lease, Stop));
        Assert.Equal(JobState.Queued, (await StateAsync(lease.Id)).Item1);
        Assert.False(await Farm.Desk.StandsAsync(lease.Lease with { Token = LeaseToken.New() }, Stop));

        await Farm.EndBackOffAsync(lease.Id);
        var next = await Farm.LeaseAsync();
        Assert.False(await Farm.Desk.StandsAsync(lease.Lease, Stop));
        Assert.True(await Farm.Desk.StandsAsync(next.Lease, Stop));
        await Farm.CompleteAsync(next);
        Assert.False(await Farm.Desk.StandsAsync(next.Lease, Stop));
    }

    [Fact]
    public async Task CompleteAsync_LostAndNotTaken_IsCompleted()
    {
        var lease = await LostAsync();

        var outcome = await Farm.CompleteAsync(lease);
        Assert.Equal(new LeaseOutcome(JobState.Completed), outcome);
        Assert.Equal((JobState.Completed, 0), await StateAsync(lease.Id));
        Assert.Equal(outcome, await Farm.CompleteAsync(lease));
    }

    [Fact]
    public async Task FailAsync_LostAndNotTaken_CountsOnceAndUnderItsOwnReason()
    {
        var lease = await LostAsync();

        Assert.Equal(JobState.Queued, (await Farm.FailAsync(lease, FailureReason.GpuOutOfMemory))!.State);

        Assert.Equal((JobState.Queued, 0), await StateAsync(lease.Id));
        Assert.Equal(1, (await Farm.GetAsync(lease.Id)).StepDowns);
        Assert.Equal(FailureReason.GpuOutOfMemory, (await Farm.Jobs.LeasesAsync(lease.Id, JobScope.All, Stop))!.Single().Reason);
    }

    [Fact]
    public async Task ReleaseAsync_LostAndNotTaken_BurnsNothing()
    {
        var lease = await LostAsync();

        Assert.Equal(new LeaseOutcome(JobState.Queued, 0), await Farm.ReleaseAsync(lease));
        Assert.Equal((JobState.Queued, 0), await StateAsync(lease.Id));
    }

    [Fact]
    public async Task Reports_TakenByAnother_AreLost()
    {
        var lease = await LostAsync();
        await Farm.LeaseAsync("gpu0");

        await AllLostAsync(lease);
        Assert.Equal((JobState.Leased, 1), await StateAsync(lease.Id));
    }

    [Fact]
    public async Task Reports_CancelledMeanwhile_AreLost()
    {
        var lease = await LostAsync();
        await Farm.Jobs.CancelAsync(lease.Id, JobScope.All, Stop);
        await AllLostAsync(lease);

        // Nor does the old lease come back when the user changes his mind
        Farm.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<RetryResult.Requeued>(await Farm.Jobs.RetryAsync(lease.Id, JobScope.All, Stop));
        await AllLostAsync(lease);
        Assert.Equal((JobState.Queued, 0), await StateAsync(lease.Id));
    }

    [Fact]
    public async Task Reports_DeletedMeanwhile_AreLost()
    {
        var lease = await LostAsync();
        await Farm.Jobs.DeleteAsync(lease.Id, JobScope.All, Stop);
        await AllLostAsync(lease);
    }

    [Fact]
    public async Task Reports_FailedForGoodByTheLoss_AreLost()
    {
        var lease = await LostAsync(Farm.NewJob() with { MaxAttempts = 1 });
        Assert.Equal((JobState.Failed, 1), await StateAsync(lease.Id));
        await AllLostAsync(lease);
    }

    [Fact]
    public async Task Reports_AfterAnotherEnding_AreToldThatAndReviveNothing()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var outcome = await Farm.ReleaseAsync(lease);

        Assert.Null(await Farm.RenewAsync(lease, RenderStage.Denoising));
        Assert.Equal(outcome, await Farm.CompleteAsync(lease));
        Assert.Equal((JobState.Queued, 0), await StateAsync(lease.Id));
    }

    private async Task<LeasedJob> LostAsync(NewJob? job = null)
    {
        await Farm.SubmitAsync(job);
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising, 1);
        await LoseAsync(lease);
        return lease;
    }

    private async Task LoseAsync(LeasedJob lease)
    {
        await Farm.ExpireLeaseAsync(lease.Id);
        Assert.Equal(1, await Farm.ReapAsync());
    }

    private async Task AllLostAsync(LeasedJob lease)
    {
        Assert.False(await Farm.Desk.StandsAsync(lease.Lease, Stop));
        Assert.Null(await Farm.RenewAsync(lease, RenderStage.Denoising));
        Assert.Null(await Farm.CompleteAsync(lease));
        Assert.Null(await Farm.FailAsync(lease, FailureReason.Transient));
        Assert.Null(await Farm.ReleaseAsync(lease));
    }

    private async Task<(JobState, int)> StateAsync(string id)
    {
        var job = await Farm.GetAsync(id);
        return (job.State, job.Failures);
    }
}
