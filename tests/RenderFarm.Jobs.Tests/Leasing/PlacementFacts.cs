using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class PlacementOnSqlite() : PlacementFacts(new SqliteStore());

public sealed class PlacementOnPostgres() : PlacementFacts(new PostgresStore());

/// <summary>Where a job goes after it has failed, and what its failures say of a slot. rack-1 has two slots, rack-2 too.</summary>
public abstract class PlacementFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Theory]
    [InlineData(FailureReason.RendererCrashed)]
    [InlineData(FailureReason.GpuLost)]
    [InlineData(FailureReason.DiskFull)]
    [InlineData(FailureReason.InvalidOutput)]
    public async Task Lease_FailedForAReasonThatMayBeTheWorkers_GoesToAnotherWorkerNext(FailureReason reason)
    {
        var other = await Farm.RegisterAsync("rack-2", "demo");
        var job = await FailOnAsync(Farm.Worker, reason);

        Assert.Null(await Farm.TryLeaseAsync());
        Assert.Null(await Farm.TryLeaseAsync("gpu0"));
        Assert.Equal(job, (await Farm.TryLeaseAsync(worker: other))?.Id);
    }

    [Theory]
    [InlineData(FailureReason.GpuOutOfMemory)]
    public async Task Lease_FailedForAReasonThatIsTheJobs_GoesToWhoeverAsks(FailureReason reason)
    {
        await Farm.RegisterAsync("rack-2", "demo");
        Assert.Equal(await FailOnAsync(Farm.Worker, reason), (await Farm.TryLeaseAsync())?.Id);
    }

    [Fact]
    public async Task Lease_OtherJobsWait_TheOneThatFailedHereHoldsNoneOfThemUp()
    {
        await Farm.RegisterAsync("rack-2", "demo");
        await FailOnAsync(Farm.Worker, FailureReason.RendererCrashed);
        var next = await Farm.SubmitAsync();

        Assert.Equal(next.Id, (await Farm.TryLeaseAsync())?.Id);
    }

    [Fact]
    public async Task Lease_LostWithItsWorker_GoesToAnotherWorkerNext()
    {
        var other = await Farm.RegisterAsync("rack-2", "demo");
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising, 1);
        await Farm.ExpireLeaseAsync(lease.Id);
        Assert.Equal(1, await Farm.ReapAsync());

        Assert.Null(await Farm.TryLeaseAsync());
        Assert.NotNull(await Farm.TryLeaseAsync(worker: other));
    }

    [Fact]
    public async Task Lease_OnlyTheFailingWorkerServesTheModel_GoesToItsOtherSlot()
    {
        await Farm.RegisterAsync("rack-2", "another-model");
        var job = await FailOnAsync(Farm.Worker, FailureReason.RendererCrashed);

        Assert.Null(await Farm.TryLeaseAsync());
        Assert.Equal(job, (await Farm.TryLeaseAsync("gpu0"))?.Id);
    }

    [Fact]
    public async Task Lease_OnlyTheFailingSlotServes_GoesThereAgain()
    {
        await Farm.OneSlotAsync();
        Assert.Equal(await FailOnAsync(Farm.Worker, FailureReason.RendererCrashed), (await Farm.TryLeaseAsync())?.Id);
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("draining")]
    [InlineData("quarantined")]
    public async Task Lease_TheOtherWorkerTakesNoJobs_GoesToTheFailingOneAgain(string how)
    {
        await Farm.OneSlotAsync();
        var other = await Farm.RegisterAsync("rack-2", "demo");
        var job = await FailOnAsync(Farm.Worker, FailureReason.RendererCrashed);
        Assert.Null(await Farm.TryLeaseAsync());

        switch (how)
        {
            case "gone":
                Farm.Time.Advance(WorkerRegistry.LiveFor + TimeSpan.FromSeconds(1));
                await Farm.Workers.SeenAsync(Farm.Worker, Stop);
                break;
            case "draining":
                await Farm.Workers.SetDrainingAsync(other, true, Stop);
                break;
            default:
                await Farm.RegisterAsync(Broken("rack-2", "cpu", "gpu0"));
                break;
        }

        Assert.Equal(job, (await Farm.TryLeaseAsync())?.Id);
    }

    [Fact]
    public async Task Lease_TheOtherWorkerIsThereAndNeverAsks_GoesToTheFailingOneAfterAWhile()
    {
        await Farm.RegisterAsync("rack-2", "demo");
        var job = await FailOnAsync(Farm.Worker, FailureReason.RendererCrashed);
        Assert.Null(await Farm.TryLeaseAsync());

        await Farm.SqlAsync(
            dialect =>
                $"UPDATE jobs SET avoid_until = {dialect.NowPlus("-1")} WHERE id = @id AND avoid_until < "
                + dialect.NowPlus((LeaseEndings.Avoided + TimeSpan.FromSeconds(10)).TotalSeconds.ToString("0")),
            job
        );

        Assert.Equal(job, (await Farm.TryLeaseAsync())?.Id);
    }

    [Fact]
    public async Task Quarantine_ThreeJobsInARowFailedHereAndWentWellElsewhere_UntilResumed()
    {
        var other = await Farm.RegisterAsync("rack-2", "demo");
        for (var i = 0; i < 3; i++)
        {
            Assert.Null((await FarmWorkerAsync()).QuarantineOf("cpu"));
            await FailAndCompleteAsync(other);
        }

        var quarantine = (await FarmWorkerAsync()).QuarantineOf("cpu");
        Assert.Equal(QuarantineSource.Farm, quarantine!.By);
        Assert.Equal(Farm.Time.GetUtcNow().ToUnixTimeSeconds(), quarantine.Since);
        Assert.Contains("went well elsewhere", quarantine.Reason, StringComparison.Ordinal);
        var waiting = await Farm.SubmitAsync();
        Assert.Null(await Farm.TryLeaseAsync());

        // A restart of the worker mends nothing by itself, and its other slot goes on
        await Farm.RegisterAsync("rack-1", "demo");
        Assert.Null(await Farm.TryLeaseAsync());
        Assert.Equal(waiting.Id, (await Farm.TryLeaseAsync("gpu0"))?.Id);

        await Farm.SubmitAsync();
        Assert.True(await Farm.Quarantines.ResumeAsync(Farm.Worker, "cpu", Stop));
        Assert.Null((await FarmWorkerAsync()).QuarantineOf("cpu"));
        Assert.NotNull(await Farm.TryLeaseAsync());
    }

    [Fact]
    public async Task Quarantine_TheSlotCompletedOneInBetween_IsNoRow()
    {
        var other = await Farm.RegisterAsync("rack-2", "demo");
        await FailAndCompleteAsync(other);
        await FailAndCompleteAsync(other);
        await Farm.SubmitAsync();
        await Farm.CompleteAsync(await Farm.LeaseAsync());
        await FailAndCompleteAsync(other);

        Assert.Null((await FarmWorkerAsync()).QuarantineOf("cpu"));
    }

    [Fact]
    public async Task Quarantine_JobsThatFailEverywhere_SayNothingOfTheSlot()
    {
        var other = await Farm.RegisterAsync("rack-2", "demo");
        for (var i = 0; i < 4; i++)
        {
            await FailOnAsync(Farm.Worker, FailureReason.InvalidOutput);
            await Farm.FailAsync((await Farm.TryLeaseAsync(worker: other))!, FailureReason.InvalidRequest);
        }

        Assert.Null((await FarmWorkerAsync()).QuarantineOf("cpu"));
    }

    [Fact]
    public async Task Quarantine_ThreeThatGoWellElsewhereInOneMoment_IsNotMissed()
    {
        var other = await Farm.RegisterAsync("rack-2", "demo");
        var leases = new List<LeasedJob>();
        for (var i = 0; i < 3; i++)
        {
            await FailOnAsync(Farm.Worker, FailureReason.RendererCrashed);
            leases.Add((await Farm.TryLeaseAsync(worker: other))!);
        }

        await Task.WhenAll(leases.Select(lease => Task.Run(() => Farm.CompleteAsync(lease))));

        Assert.NotNull((await FarmWorkerAsync()).QuarantineOf("cpu"));
    }

    [Fact]
    public async Task Quarantine_SaidByTheWorker_StandsUntilItSaysOtherwiseAndHearsThatItIsResumed()
    {
        await Farm.RegisterAsync(Broken("rack-1", "gpu0"));
        var quarantine = (await FarmWorkerAsync()).QuarantineOf("gpu0");
        Assert.Equal(new SlotQuarantine("Xid 48", 1_764_000_000, QuarantineSource.Worker), quarantine);
        Assert.Empty(await Farm.Quarantines.ToResumeAsync(Farm.Worker, Stop));

        Assert.True(await Farm.Quarantines.ResumeAsync(Farm.Worker, null, Stop));
        Assert.NotNull((await FarmWorkerAsync()).QuarantineOf("gpu0"));
        Assert.Equal(["gpu0"], await Farm.Quarantines.ToResumeAsync(Farm.Worker, Stop));

        // Told and not heard: told again. Another fault than the one that was seen to: not resumed by it
        await Farm.RegisterAsync(Broken("rack-1", "gpu0"));
        Assert.Equal(["gpu0"], await Farm.Quarantines.ToResumeAsync(Farm.Worker, Stop));
        var later = Broken("rack-1", "gpu0");
        await Farm.RegisterAsync(
            later with { Slots = [.. later.Slots.Select(slot => slot with { QuarantinedAt = slot.QuarantinedAt + 60 })] }
        );
        Assert.Empty(await Farm.Quarantines.ToResumeAsync(Farm.Worker, Stop));

        await Farm.RegisterAsync("rack-1", "demo");
        Assert.Null((await FarmWorkerAsync()).QuarantineOf("gpu0"));
    }

    [Fact]
    public async Task ResumeAsync_WholeWorker_EndsItsDrainToo_AndOneSlotDoesNot()
    {
        await Farm.Workers.SetDrainingAsync(Farm.Worker, true, Stop);
        Assert.True(await Farm.Quarantines.ResumeAsync(Farm.Worker, "cpu", Stop));
        Assert.Equal(WorkerStatus.Draining, (await FarmWorkerAsync()).Status);
        Assert.True(await Farm.Quarantines.ResumeAsync(Farm.Worker, null, Stop));
        Assert.Equal(WorkerStatus.Live, (await FarmWorkerAsync()).Status);
        Assert.False(await Farm.Quarantines.ResumeAsync(Farm.Worker, "gpu9", Stop));
        Assert.False(await Farm.Quarantines.ResumeAsync("worker_unknown", null, Stop));
    }

    [Fact]
    public async Task Forecast_EverySlotInQuarantine_SaysThatNobodyServesTheJob()
    {
        await Farm.RegisterAsync(Broken("rack-1", "cpu", "gpu0"));
        var job = await Farm.SubmitAsync();
        Assert.False((await Farm.Forecast.OfAsync(job, Stop)).IsServed);
    }

    private async Task<FarmWorker> FarmWorkerAsync() => (await Farm.Workers.FindAsync(Farm.Worker, Stop))!;

    private static RegisterWorkerRequest Broken(string name, params string[] slots)
    {
        var whole = TestFarm.Registration(name, "demo");
        return whole with
        {
            Slots =
            [
                .. whole.Slots.Select(slot =>
                    slots.Contains(slot.Id) ? slot with { Quarantine = "Xid 48", QuarantinedAt = 1_764_000_000 } : slot
                ),
            ],
        };
    }

    /// <returns>The job, which may be tried again at once.</returns>
    private async Task<string> FailOnAsync(string worker, FailureReason reason)
    {
        var job = await Farm.SubmitAsync();
        var lease = (await Farm.TryLeaseAsync(worker: worker))!;
        Assert.Equal(job.Id, lease.Id);
        await Farm.FailAsync(lease, reason);
        await Farm.EndPauseAsync(job.Id);
        return job.Id;
    }

    private async Task FailAndCompleteAsync(string other)
    {
        await FailOnAsync(Farm.Worker, FailureReason.RendererCrashed);
        await Farm.CompleteAsync((await Farm.TryLeaseAsync(worker: other))!);
    }
}
