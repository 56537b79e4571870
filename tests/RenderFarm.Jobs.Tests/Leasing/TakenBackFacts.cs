using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class TakenBackOnSqlite() : TakenBackFacts(new SqliteStore());

public sealed class TakenBackOnPostgres() : TakenBackFacts(new PostgresStore());

/// <summary>
/// The rows of a lease are taken back exactly, as after a failover that lost the last moments or a backup that was restored: the job
/// waits again, its next lease has the same fence, and there are two holders of it.
/// </summary>
public abstract class TakenBackFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task Reports_OfTheHolderThatTheDatabaseForgot_AreLost()
    {
        var (forgotten, known) = await TwoHoldersAsync();

        Assert.Equal(forgotten.Fence, known.Fence);
        Assert.Null(await Farm.RenewAsync(forgotten, RenderStage.Denoising, step: 2));
        Assert.Null(await Farm.FailAsync(forgotten, FailureReason.RendererCrashed));
        Assert.Null(await Farm.ReleaseAsync(forgotten));
        Assert.Null(await Farm.CompleteAsync(forgotten));

        var job = await Farm.GetAsync(known.Id);
        Assert.Equal((JobState.Leased, 0, 0), (job.State, job.Step, job.Failures));
        Assert.NotNull(await Farm.RenewAsync(known, RenderStage.Denoising, step: 1));
        Assert.Equal(JobState.Completed, (await Farm.CompleteAsync(known))!.State);
    }

    [Fact]
    public async Task Reports_OfTheForgottenHolderAfterTheOtherHasEnded_AreLostAndNotTheOthersOutcome()
    {
        var (forgotten, known) = await TwoHoldersAsync();
        var outcome = await Farm.CompleteAsync(known);

        Assert.Null(await Farm.CompleteAsync(forgotten));
        Assert.Null(await Farm.FailAsync(forgotten, FailureReason.Transient));
        Assert.Equal(outcome, await Farm.CompleteAsync(known));
        Assert.Equal(
            ObjectKeys.For(ArtifactKind.Video, known.Lease.Name),
            Assert.Single((await Farm.GetAsync(known.Id)).Artifacts).Key
        );
    }

    [Fact]
    public async Task Keys_OfTheTwoHolders_AreNotTheSame()
    {
        var (forgotten, known) = await TwoHoldersAsync();
        Assert.NotEqual(ObjectKeys.Of(forgotten.Lease.Name), ObjectKeys.Of(known.Lease.Name));
        var stolen = new CompleteRequest
        {
            Artifacts = [new Artifact(ArtifactKind.Video, ObjectKeys.For(ArtifactKind.Video, forgotten.Lease.Name), "video/mp4", 1, "00")],
        };
        await Assert.ThrowsAsync<ArgumentException>(() => Farm.Desk.CompleteAsync(new(known.Lease, stolen), Stop));
    }

    [Fact]
    public async Task Reports_WhileTheJobWaitsAgain_AreLost()
    {
        var forgotten = await TakenBackAsync();
        Assert.Null(await Farm.RenewAsync(forgotten, RenderStage.Denoising, step: 2));
        Assert.Null(await Farm.CompleteAsync(forgotten));
        Assert.Equal(JobState.Queued, (await Farm.GetAsync(forgotten.Id)).State);
    }

    [Fact]
    public async Task Records_ForUsers_HaveTheDigestOnly()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var record = Assert.Single((await Farm.Jobs.LeasesAsync(lease.Id, JobScope.All, Stop))!);
        Assert.Equal(lease.Lease.Name, record.Lease);
        Assert.DoesNotContain(lease.Lease.Token.Secret, $"{record} {await Farm.GetAsync(lease.Id)}", StringComparison.Ordinal);
    }

    private async Task<(LeasedJob Forgotten, LeasedJob Known)> TwoHoldersAsync()
    {
        var forgotten = await TakenBackAsync();
        var known = await Farm.LeaseAsync();
        Assert.Equal(forgotten.Id, known.Id);
        return (forgotten, known);
    }

    private async Task<LeasedJob> TakenBackAsync()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.TakeBackLeaseAsync(lease.Id);
        return lease;
    }
}
