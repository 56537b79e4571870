using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class LeasingOnSqlite() : LeasingFacts(new SqliteStore());

public sealed class LeasingOnPostgres() : LeasingFacts(new PostgresStore());

public abstract class LeasingFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task LeaseAsync_SixteenRacersForOneJob_OneWins()
    {
        var job = await Farm.SubmitAsync();
        var won = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Farm.TryLeaseAsync())));
        Assert.Equal(job.Id, Assert.Single(won, lease => lease is not null)!.Id);
        Assert.Equal(1, (await Farm.GetAsync(job.Id)).Fence);
    }

    [Fact]
    public async Task LeaseAsync_SixteenRacersForSixteenJobs_EachGetsItsOwn()
    {
        for (var i = 0; i < 16; i++)
        {
            await Farm.SubmitAsync();
        }

        var won = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Farm.TryLeaseAsync())));
        Assert.Equal(16, won.Select(lease => lease?.Id).OfType<string>().Distinct().Count());
    }

    [Fact]
    public async Task LeaseAsync_LeastVramAboveFree_IsLeftForALargerCard()
    {
        await Farm.SubmitAsync(Farm.NewJob() with { VramClass = 24, LeastVramBytes = 20 * TestFarm.GiB });
        Assert.Null(await Farm.TryLeaseAsync("cpu", 64 * TestFarm.GiB));
        Assert.Null(await Farm.TryLeaseAsync("gpu0", 19 * TestFarm.GiB));
        Assert.NotNull(await Farm.TryLeaseAsync("gpu0", 21 * TestFarm.GiB));
    }

    [Fact]
    public async Task LeaseAsync_ModelTheWorkerLacks_IsLeft()
    {
        await Farm.SubmitAsync(Farm.NewJob("t2v-14b"));
        Assert.Null(await Farm.TryLeaseAsync());
        var other = await Farm.RegisterAsync("rack-2", "t2v-14b");
        Assert.NotNull(await Farm.TryLeaseAsync(worker: other));
    }

    [Fact]
    public async Task LeaseAsync_DrainingWorker_GetsNothingUntilResumed()
    {
        await Farm.SubmitAsync();
        await Farm.Workers.SetDrainingAsync(Farm.Worker, true, Stop);
        Assert.Null(await Farm.TryLeaseAsync());
        await Farm.RegisterAsync("rack-1", "demo");
        Assert.Null(await Farm.TryLeaseAsync());
        await Farm.Workers.SetDrainingAsync(Farm.Worker, false, Stop);
        var lease = await Farm.LeaseAsync();
        await Farm.Workers.SetDrainingAsync(Farm.Worker, true, Stop);
        Assert.True((await Farm.RenewAsync(lease, RenderStage.Denoising))!.Drain);
    }

    [Fact]
    public async Task LeaseAsync_UnknownWorkerOrSlot_SaysSo()
    {
        var stranger = new LeaseRequest
        {
            Instance = SimulatedWorker.Instance,
            WorkerId = "worker_x",
            SlotId = "cpu",
            FreeBytes = 1,
        };
        Assert.IsType<LeaseResult.UnknownWorker>(await Farm.Desk.LeaseAsync(stranger, Stop));
        Assert.IsType<LeaseResult.UnknownWorker>(
            await Farm.Desk.LeaseAsync(stranger with { WorkerId = Farm.Worker, SlotId = "gpu7" }, Stop)
        );
    }

    [Fact]
    public async Task LeaseAsync_WaitingPoll_GetsTheJobThatComes()
    {
        var request = new LeaseRequest
        {
            Instance = SimulatedWorker.Instance,
            WorkerId = Farm.Worker,
            SlotId = "cpu",
            FreeBytes = TestFarm.GiB,
            WaitSeconds = 20,
        };
        var waiting = Farm.Desk.LeaseAsync(request, Stop);
        var job = await Farm.SubmitAsync();
        // The farm's clock stands still: only the signal can wake the poll
        Assert.Equal(job.Id, Assert.IsType<LeaseResult.Granted>(await waiting.WaitAsync(TimeSpan.FromSeconds(30), Stop)).Job.Id);
    }

    [Fact]
    public async Task LeaseAsync_HigherPriority_GoesFirst()
    {
        var low = await Farm.SubmitAsync(Farm.NewJob() with { Priority = 10 });
        var usual = await Farm.SubmitAsync();
        var high = await Farm.SubmitAsync(Farm.NewJob() with { Priority = 90 });
        Assert.Equal(2, (await Farm.Forecast.OfAsync(low, Stop)).Ahead);
        Assert.Equal(
            [high.Id, usual.Id, low.Id],
            [(await Farm.LeaseAsync()).Id, (await Farm.LeaseAsync()).Id, (await Farm.LeaseAsync()).Id]
        );
    }

    [Fact]
    public async Task LeaseAsync_OneKeyWithManyJobs_DoesNotHoldUpAnother()
    {
        for (var i = 0; i < 20; i++)
        {
            await Farm.SubmitAsync();
        }

        for (var i = 0; i < 5; i++)
        {
            await Farm.CompleteAsync(await Farm.LeaseAsync());
        }

        var late = await Farm.SubmitAsync(Farm.NewJob() with { KeyId = await Farm.NewKeyAsync("late") });

        // As old as the job served last, so at most one of the others goes before it
        var next = new[] { (await Farm.LeaseAsync()).Id, (await Farm.LeaseAsync()).Id };
        Assert.Contains(late.Id, next);
    }

    [Fact]
    public async Task LeaseAsync_LowPriorityAmongEndlessHigh_GetsItsTurn()
    {
        var low = await Farm.SubmitAsync(Farm.NewJob() with { Priority = 49, EstimatedSeconds = 300 });
        for (var turn = 0; turn < 10; turn++)
        {
            await Farm.SubmitAsync(Farm.NewJob() with { EstimatedSeconds = 300 });
            var lease = await Farm.LeaseAsync();
            await Farm.CompleteAsync(lease);
            if (lease.Id == low.Id)
            {
                return;
            }
        }
        Assert.Fail("the job of low priority was never served");
    }
}
