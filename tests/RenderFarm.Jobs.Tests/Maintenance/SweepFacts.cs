using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Maintenance;

public sealed class SweepsOnSqlite() : SweepFacts(new SqliteStore());

public sealed class SweepsOnPostgres() : SweepFacts(new PostgresStore());

public abstract class SweepFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task LeaseReaper_ExpiredLease_GoesBackAtOnceAndIsRecordedAsLost()
    {
        await Farm.OneSlotAsync();
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising);
        Assert.Equal(0, await Farm.ReapAsync());
        await Farm.ExpireLeaseAsync(lease.Id);
        Assert.Equal(1, await Farm.ReapAsync());
        Assert.Equal(0, await Farm.ReapAsync());

        var again = await Farm.LeaseAsync();
        Assert.Equal((lease.Fence + 1, 2), (again.Fence, again.Attempt));
        var records = (await Farm.Jobs.LeasesAsync(lease.Id, JobScope.All, Stop))!;
        Assert.Equal([LeaseEnding.Lost, null], records.Select(r => r.Ending));
    }

    [Fact]
    public async Task LeaseReaper_LeaseNeverRenewed_IsOfferedAtOnceAndBurnsNothing()
    {
        await Farm.SubmitAsync(Farm.NewJob() with { MaxAttempts = 1 });
        for (var turn = 1; turn <= LeaseEndings.MostUntaken; turn++)
        {
            var untaken = await Farm.LeaseAsync();
            Assert.Equal((turn, 1), (untaken.Fence, untaken.Attempt));
            await Farm.ExpireLeaseAsync(untaken.Id);
            Assert.Equal(1, await Farm.ReapAsync());
        }

        // So often that it may be the job that kills its workers: from here on it counts
        var last = await Farm.LeaseAsync();
        await Farm.ExpireLeaseAsync(last.Id);
        await Farm.ReapAsync();
        Assert.Equal((JobState.Failed, "worker_lost"), ((await Farm.GetAsync(last.Id)).State, (await Farm.GetAsync(last.Id)).Error!.Code));
        Assert.All((await Farm.Jobs.LeasesAsync(last.Id, JobScope.All, Stop))!, record => Assert.Equal(LeaseEnding.Lost, record.Ending));
    }

    [Fact]
    public async Task LeaseReaper_LooksRarely_TakesBackAllTheSame()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising);
        await Farm.ExpireLeaseAsync(lease.Id);

        // A pass every ten seconds, for want of a processor
        Farm.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, await Farm.ReapAsync());
    }

    [Fact]
    public async Task LeaseReaper_LostWhileCancelWasAsked_IsCancelled()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.Jobs.CancelAsync(lease.Id, JobScope.All, Stop);
        await Farm.ExpireLeaseAsync(lease.Id);
        await Farm.ReapAsync();
        Assert.Equal(JobState.Cancelled, (await Farm.GetAsync(lease.Id)).State);
    }

    [Fact]
    public async Task BellRelay_RungByTheRinger_RingsNoMoreUntilAMinuteIsOver()
    {
        var job = await Farm.SubmitAsync();
        await Farm.Ringer.RingAsync(new Announcement(job.Id, job.Fence, "demo", 0), Stop);
        Farm.Time.Advance(BellRelay.Grace);
        Assert.Equal(0, await Farm.Relay.RunOnceAsync(Stop));
        Farm.Time.Advance(BellRelay.RingAgainAfter);
        Assert.Equal(0, await Farm.Relay.RunOnceAsync(Stop)); // Nobody is there to hear it
        await Farm.RegisterAsync("rack-1", "demo");
        Assert.Equal(1, await Farm.Relay.RunOnceAsync(Stop));
    }

    /// <summary>More bells than slots would wake nobody; those that wait behind have their turn when they are first.</summary>
    [Fact]
    public async Task BellRelay_LongLine_RingsOnceForEverySlotThatServesIt()
    {
        for (var i = 0; i < 5; i++)
        {
            await Farm.SubmitAsync();
        }

        Farm.Time.Advance(BellRelay.Grace);
        Assert.Equal(2, await Farm.Relay.RunOnceAsync(Stop));
        Assert.Equal(0, await Farm.Relay.RunOnceAsync(Stop));
        var first = await Farm.LeaseAsync();
        Assert.Contains(first.Id, Farm.Bell.Rung);
        Assert.Equal(1, await Farm.Relay.RunOnceAsync(Stop));
    }

    [Fact]
    public async Task BellRelay_BrokerDownAtSubmit_RingsWhenItIsBack()
    {
        var job = await Farm.SubmitAsync();
        Farm.Bell.Down = true;
        Farm.Time.Advance(BellRelay.Grace);
        Assert.Equal(0, await Farm.Relay.RunOnceAsync(Stop));
        Farm.Bell.Down = false;
        Assert.Equal(1, await Farm.Relay.RunOnceAsync(Stop));
        Assert.Equal(0, await Farm.Relay.RunOnceAsync(Stop));
        Assert.Equal([job.Id], Farm.Bell.Rung);

        Farm.Time.Advance(TimeSpan.FromMinutes(5));
        await Farm.RegisterAsync("rack-1", "demo");
        Assert.Equal(1, await Farm.Relay.RunOnceAsync(Stop));
    }

    [Fact]
    public async Task BellRelay_JobInBackOff_IsRungWhenItIsOver()
    {
        var job = await Farm.SubmitAsync();
        await Farm.FailAsync(await Farm.LeaseAsync(), Contracts.Leases.FailureReason.Transient);
        Farm.Time.Advance(BellRelay.Grace);
        Assert.Equal(0, await Farm.Relay.RunOnceAsync(Stop));
        await Farm.EndBackOffAsync(job.Id);
        Assert.Equal(1, await Farm.Relay.RunOnceAsync(Stop));
    }

    [Fact]
    public async Task ExpirySweep_KeepingTimeOver_ExpiresTheJob()
    {
        await Farm.SubmitAsync(Farm.NewJob() with { ExpiresAfter = TimeSpan.FromHours(1) });
        var lease = await Farm.LeaseAsync();
        await Farm.CompleteAsync(lease);
        var sweep = new ExpirySweep(Farm.Database, Farm.Time);
        Assert.Equal(0, await sweep.RunOnceAsync(Stop));
        Farm.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, await sweep.RunOnceAsync(Stop));
        Assert.Equal(JobState.Expired, (await Farm.GetAsync(lease.Id)).State);
    }
}
