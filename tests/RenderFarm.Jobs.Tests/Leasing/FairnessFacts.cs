using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class FairnessOnSqlite() : FairnessFacts(new SqliteStore());

public sealed class FairnessOnPostgres() : FairnessFacts(new PostgresStore());

/// <summary>Who is served when; every turn is a lease that completes, with the virtual clock looking on.</summary>
public abstract class FairnessFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task Order_NewcomerAmongAKeyOfHighPriority_StandsBesideTheOthers()
    {
        var (high, usual, newcomer) = (await KeyAsync("high"), await KeyAsync("usual"), await KeyAsync("newcomer"));
        for (var i = 0; i < 20; i++)
        {
            await SubmitAsync(high, priority: 100, seconds: 1000);
        }

        for (var i = 0; i < 5; i++)
        {
            await SubmitAsync(usual);
        }

        for (var i = 0; i < 18; i++)
        {
            Assert.Equal(high, await ServeAsync());
        }

        await SubmitAsync(newcomer);

        List<string> next = [];
        for (var i = 0; i < 5; i++)
        {
            next.Add(await ServeAsync());
        }

        Assert.Equal([high, high], next.Take(2));
        Assert.Contains(newcomer, next.Skip(2).Take(2));
    }

    [Fact]
    public async Task Order_KeyThatWasIdle_HasNoCreditForIt()
    {
        var (busy, idle) = (await KeyAsync("busy"), await KeyAsync("idle"));
        for (var i = 0; i < 10; i++)
        {
            await SubmitAsync(busy);
            Assert.Equal(busy, await ServeAsync());
        }
        for (var i = 0; i < 10; i++)
        {
            await SubmitAsync(idle);
        }

        await SubmitAsync(busy);

        Assert.Contains(busy, new[] { await ServeAsync(), await ServeAsync(), await ServeAsync() });
    }

    [Fact]
    public async Task Order_JobThatNobodyCanRun_DoesNotHoldTheClock()
    {
        var (stuck, busy, late) = (await KeyAsync("stuck"), await KeyAsync("busy"), await KeyAsync("late"));
        await Farm.SubmitAsync(Farm.NewJob("unknown") with { KeyId = stuck });
        for (var i = 0; i < 20; i++)
        {
            await SubmitAsync(busy);
        }

        for (var i = 0; i < 10; i++)
        {
            await ServeAsync();
        }

        for (var i = 0; i < 10; i++)
        {
            await SubmitAsync(late);
        }

        // Had the clock stood still, ten jobs of the late key would go first
        List<string> next = [await ServeAsync(), await ServeAsync(), await ServeAsync(), await ServeAsync()];
        Assert.Equal(2, next.Count(key => key == busy));
    }

    [Fact]
    public async Task Order_ManyJobsOfOneKey_LeaveAnotherItsTurnWithinOneJob()
    {
        var (many, one) = (await KeyAsync("many"), await KeyAsync("one"));
        for (var i = 0; i < 100; i++)
        {
            await SubmitAsync(many);
        }

        for (var i = 0; i < 10; i++)
        {
            await ServeAsync();
        }

        await SubmitAsync(one);

        Assert.Contains(one, new[] { await ServeAsync(), await ServeAsync() });
    }

    [Fact]
    public async Task Lease_LargeCardAndASmallJobThatASmallCardRuns_TakesTheLargeJobFirst()
    {
        await LargeCardAsync();
        var small = await Farm.SubmitAsync(Farm.NewJob() with { VramClass = 8, LeastVramBytes = 6 * TestFarm.GiB });
        var large = await Farm.SubmitAsync(Farm.NewJob() with { VramClass = 48, LeastVramBytes = 40 * TestFarm.GiB });

        // rack-1 has 24 GiB: it runs the small one, and can't run the large one
        Assert.Equal(large.Id, (await LeaseOnLargeCardAsync())!.Id);
        Assert.Equal(small.Id, (await LeaseOnLargeCardAsync())!.Id);
    }

    [Fact]
    public async Task Lease_LargeCardAloneInTheFarm_KeepsTheOrder()
    {
        await LargeCardAsync();
        await Farm.Workers.SetDrainingAsync(Farm.Worker, true, Stop);
        var small = await Farm.SubmitAsync(Farm.NewJob() with { VramClass = 8, LeastVramBytes = 6 * TestFarm.GiB });
        await Farm.SubmitAsync(Farm.NewJob() with { VramClass = 48, LeastVramBytes = 40 * TestFarm.GiB });

        Assert.Equal(small.Id, (await LeaseOnLargeCardAsync())!.Id);
    }

    /// <summary>A head start of a minute of queued work: the other job waits no longer than that for it.</summary>
    [Theory]
    [InlineData(50, true)]
    [InlineData(70, false)]
    public async Task Lease_ModelThatTheHostHolds_GoesFirstWhereItDelaysNobodyForLong(double secondsAhead, bool isFirst)
    {
        await Farm.RegisterAsync("rack-1", "demo", "held");
        await Farm.SubmitAsync(Farm.NewJob() with { EstimatedSeconds = secondsAhead });
        var held = await Farm.SubmitAsync(Farm.NewJob("held"));

        var granted = Assert.IsType<LeaseResult.Granted>(
            await Farm.Desk.LeaseAsync(
                new LeaseRequest
                {
                    Instance = SimulatedWorker.Instance,
                    WorkerId = Farm.Worker,
                    SlotId = "cpu",
                    FreeBytes = 8 * TestFarm.GiB,
                    CachedModels = ["held"],
                },
                Stop
            )
        );

        Assert.Equal(isFirst, granted.Job.Id == held.Id);
    }

    private string _largeCard = "";

    private async Task LargeCardAsync() =>
        _largeCard = await Farm.RegisterAsync(
            new RegisterWorkerRequest
            {
                Protocol = WorkerProtocol.Current,
                Identity = SimulatedWorker.IdentityOf("rack-2"),
                Instance = SimulatedWorker.Instance,
                Name = "rack-2",
                Host = "test",
                Version = "1",
                Slots =
                [
                    new SlotDescription
                    {
                        Id = "gpu0",
                        Kind = SlotKind.Cuda,
                        Card = "large card",
                        TotalBytes = 80 * TestFarm.GiB,
                    },
                ],
                Models = [new ModelRegistration("demo", ModelShapes.Demo, new Dictionary<string, string>())],
            }
        );

    private Task<LeasedJob?> LeaseOnLargeCardAsync() => Farm.TryLeaseAsync("gpu0", 80 * TestFarm.GiB, _largeCard);

    private Task<string> KeyAsync(string name) => Farm.NewKeyAsync(name);

    private Task SubmitAsync(string key, int priority = 50, double seconds = 1000) =>
        Farm.SubmitAsync(Farm.NewJob() with { KeyId = key, Priority = priority, EstimatedSeconds = seconds });

    /// <returns>Whose job it was.</returns>
    private async Task<string> ServeAsync()
    {
        var lease = await Farm.LeaseAsync();
        await Farm.Clock.RunOnceAsync(Stop);
        await Farm.CompleteAsync(lease);
        return (await Farm.GetAsync(lease.Id)).KeyId;
    }
}
