using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Maintenance;

public sealed class AbsenceOnSqlite() : AbsenceFacts(new SqliteStore());

public sealed class AbsenceOnPostgres() : AbsenceFacts(new PostgresStore());

/// <summary>What the reaper makes of leases that ran out while API, store or network were away.</summary>
public abstract class AbsenceFacts(StoreUnderTest store) : FarmFacts(store)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private LeaseReaper NewReaper() => new(Farm.Database, Farm.Endings, Farm.Workers, new LeaseSettings(), Farm.Time);

    [Fact]
    public async Task Reaper_NewProcessBesideAnother_TakesBackAtOnceAndCounts()
    {
        var lease = await OverdueAsync();
        await Farm.LastPassAsync(TimeSpan.Zero); // The other one's

        Assert.Equal(1, await NewReaper().RunOnceAsync(Stop));
        Assert.Equal(1, (await Farm.GetAsync(lease.Id)).Failures);
    }

    [Fact]
    public async Task Reaper_ApiWasStopped_GivesWorkersTheTimeToRenew()
    {
        var (back, gone) = (await OverdueAsync(), await OverdueAsync("gpu0"));
        await Farm.LastPassAsync(Long);
        var fresh = NewReaper();
        for (var look = 1; look <= LeaseReaper.GraceLooks; look++)
        {
            Assert.Equal(0, await fresh.RunOnceAsync(Stop));
        }

        Assert.NotNull(await Farm.RenewAsync(back, RenderStage.Denoising, 2));
        Assert.Equal(1, await fresh.RunOnceAsync(Stop));

        var kept = await Farm.GetAsync(back.Id);
        Assert.Equal((JobState.Rendering, back.Fence, 0), (kept.State, kept.Fence, kept.Failures));
        var lost = await Farm.GetAsync(gone.Id);
        Assert.Equal((JobState.Queued, 0), (lost.State, lost.Failures));
        var record = (await Farm.Jobs.LeasesAsync(gone.Id, JobScope.All, Stop))!.Single();
        Assert.Equal((LeaseEnding.Lost, null), (record.Ending, record.Reason));
    }

    [Fact]
    public async Task Reaper_Frozen_KnowsItFromItsOwnMissedPasses()
    {
        await OverdueAsync();
        Farm.Time.Advance(TimeSpan.FromSeconds(30));

        for (var look = 1; look <= LeaseReaper.GraceLooks; look++)
        {
            Assert.Equal(0, await Farm.ReapAsync());
        }

        Assert.Equal(1, await Farm.ReapAsync());
    }

    [Fact]
    public async Task Reaper_AlwaysVerySlow_TakesBackInTheEnd()
    {
        await OverdueAsync();
        var taken = 0;
        for (var look = 1; look <= LeaseReaper.GraceLooks + 1; look++)
        {
            Farm.Time.Advance(TimeSpan.FromSeconds(15));
            taken += await Farm.ReapAsync();
        }

        Assert.Equal(1, taken);
    }

    [Fact]
    public async Task Reaper_NoWorkerIsHeardOf_TakesNothingBackUntilSomeHaveHadTheirTime()
    {
        var lease = await OverdueAsync();
        Farm.Time.Advance(Long);
        for (var look = 0; look < 3 * LeaseReaper.GraceLooks; look++)
        {
            Assert.Equal(0, await Farm.ReapUnheardAsync(Farm.Reaper));
        }

        for (var look = 1; look <= LeaseReaper.GraceLooks; look++)
        {
            Assert.Equal(0, await Farm.ReapAsync());
        }

        Assert.Equal(1, await Farm.ReapAsync());
        Assert.Equal(0, (await Farm.GetAsync(lease.Id)).Failures);
    }

    [Fact]
    public async Task Reaper_NoWorkerIsHeardOf_StillGrantsAWishToCancel()
    {
        var lease = await OverdueAsync();
        Farm.Time.Advance(Long);
        Assert.Equal(0, await Farm.ReapUnheardAsync(Farm.Reaper));

        await Farm.Jobs.CancelAsync(lease.Id, JobScope.All, Stop);

        Assert.Equal(1, await Farm.ReapUnheardAsync(Farm.Reaper));
        Assert.Equal(JobState.Cancelled, (await Farm.GetAsync(lease.Id)).State);
        Assert.Null(await Farm.RenewAsync(lease, RenderStage.Denoising));
    }

    [Fact]
    public async Task Reaper_NobodyComesBack_ShowsTheJobWaitingAfterAll()
    {
        var lease = await OverdueAsync();
        Farm.Time.Advance(LeaseReaper.LongestSilence);
        var taken = 0;
        for (var look = 1; look <= LeaseReaper.GraceLooks + 1; look++)
        {
            taken += await Farm.ReapUnheardAsync(Farm.Reaper);
        }

        Assert.Equal(1, taken);
        Assert.Equal((JobState.Queued, 0), ((await Farm.GetAsync(lease.Id)).State, (await Farm.GetAsync(lease.Id)).Failures));
    }

    [Fact]
    public async Task Reaper_OneOfTwoWorkersIsSilent_TakesItsJobBackAsThatOfADeadOne()
    {
        var lease = await OverdueAsync();
        var other = await Farm.RegisterAsync("rack-2", "demo");

        Assert.Equal(1, await Farm.ReapAsync());
        Assert.Equal(1, (await Farm.GetAsync(lease.Id)).Failures);
        Assert.NotNull(await Farm.TryLeaseAsync(worker: other));
        Assert.Null(await Farm.RenewAsync(lease, RenderStage.Denoising));
    }

    private async Task<LeasedJob> OverdueAsync(string slot = "cpu")
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync(slot);
        await RenewAndRunOutAsync(lease);
        return lease;
    }

    private async Task RenewAndRunOutAsync(LeasedJob lease)
    {
        await Farm.RenewAsync(lease, RenderStage.Denoising, 1);
        await Farm.ExpireLeaseAsync(lease.Id);
    }
}
