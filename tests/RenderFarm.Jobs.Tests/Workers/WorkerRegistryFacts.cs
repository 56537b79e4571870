using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Workers;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Workers;

public sealed class WorkerRegistryOnSqlite() : WorkerRegistryFacts(new SqliteStore());

public sealed class WorkerRegistryOnPostgres() : WorkerRegistryFacts(new PostgresStore());

public abstract class WorkerRegistryFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task RegisterAsync_SameIdentityAgain_KeepsTheIdAndTakesTheNewModels()
    {
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync("rack-1", "t2v-14b"));
        Assert.Equal(["t2v-14b"], (await Farm.Workers.FindAsync(Farm.Worker, Stop))!.Models);
        Assert.NotEqual(Farm.Worker, await Farm.RegisterAsync("rack-2", "demo"));
        Assert.Equal(["rack-1", "rack-2"], (await Farm.Workers.ListAsync(Stop)).Select(w => w.Name));
    }

    [Fact]
    public async Task RegisterAsync_TwoInstallationsOfOneName_AreTwoWorkers()
    {
        var twin = await Farm.RegisterAsync(Start(identity: Other));
        Assert.NotEqual(Farm.Worker, twin);
        Assert.Equal(["rack-1", "rack-1"], (await Farm.Workers.ListAsync(Stop)).Select(w => w.Name));
        await Farm.SubmitAsync();
        Assert.NotNull(await Farm.TryLeaseAsync(worker: twin));
    }

    [Fact]
    public async Task RegisterAsync_RenamedWorker_IsTheSameOne() =>
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync(Start() with { Name = "rack-9" }));

    [Fact]
    public async Task RegisterAsync_CopyOfALiveWorker_IsRefusedUntilThatOneIsGone()
    {
        await Farm.RegisterAsync(Start(place: "here"));
        Farm.Time.Advance(TimeSpan.FromSeconds(10));
        var copy = Start(instance: Other, place: "there");

        var refused = await Assert.ThrowsAsync<IdentityInUseException>(() => Farm.RegisterAsync(copy));
        Assert.Equal("rack-1", refused.Name);
        Assert.Equal((WorkerRegistry.LiveFor - TimeSpan.FromSeconds(10)).TotalSeconds, refused.GoneIn.TotalSeconds, 3);

        // The one that is there goes on, and each sign of life puts the copy off
        await Farm.SubmitAsync();
        Assert.NotNull(await Farm.TryLeaseAsync());
        Farm.Time.Advance(WorkerRegistry.LiveFor - TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<IdentityInUseException>(() => Farm.RegisterAsync(copy));

        Farm.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync(copy));
    }

    /// <summary>After kill -9 and an immediate restart only the place can tell that the earlier start is over.</summary>
    [Fact]
    public async Task RegisterAsync_NextStartFromTheSamePlace_IsTakenAtOnceAndTheEarlierOneIsGivenNothing()
    {
        await Farm.RegisterAsync(Start(place: "here"));
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync(Start(instance: Other, place: "here")));

        await Farm.SubmitAsync();
        var earlier = new LeaseRequest
        {
            WorkerId = Farm.Worker,
            Instance = SimulatedWorker.Instance,
            SlotId = "cpu",
            FreeBytes = 8 * TestFarm.GiB,
        };
        Assert.IsType<LeaseResult.Superseded>(await Farm.Desk.LeaseAsync(earlier, Stop));
        Assert.IsType<LeaseResult.Granted>(await Farm.Desk.LeaseAsync(earlier with { Instance = Other }, Stop));
    }

    [Fact]
    public async Task RegisterAsync_NoPlaceToTellBy_WaitsUntilTheEarlierStartIsGone()
    {
        var next = Start(instance: Other);
        await Assert.ThrowsAsync<IdentityInUseException>(() => Farm.RegisterAsync(next));
        Farm.Time.Advance(WorkerRegistry.LiveFor + TimeSpan.FromSeconds(1));
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync(next));
    }

    [Fact]
    public async Task RegisterAsync_TwoCopiesAtOnceOfOneThatIsGone_OneIsTaken()
    {
        Farm.Time.Advance(WorkerRegistry.LiveFor + TimeSpan.FromSeconds(1));
        var starts = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(n => Task.Run(() => TakenAsync(Start(instance: $"{n:x32}", place: $"place {n}"))))
        );
        Assert.Single(starts, taken => taken);

        async Task<bool> TakenAsync(RegisterWorkerRequest start)
        {
            try
            {
                return await Farm.RegisterAsync(start) == Farm.Worker;
            }
            catch (IdentityInUseException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task RegisterAsync_WorkerKnownByItsNameAlone_KeepsItsId()
    {
        await Farm.SqlAsync(
            _ => "UPDATE workers SET identity = NULL, key_id = NULL, instance = NULL, place = NULL WHERE id = @id",
            Farm.Worker
        );
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync(Start(identity: Other)));
    }

    [Fact]
    public async Task RegisterAsync_ManyAtOnceWithTheSameModels_AllSucceed()
    {
        var ids = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(n => Task.Run(() => Farm.RegisterAsync($"node-{n}", n % 2 == 0 ? ["a", "b", "c"] : ["c", "b", "a"])))
        );
        Assert.Equal(8, ids.Distinct().Count());
    }

    [Fact]
    public async Task FindModelAsync_WorkerGone_IsStillKnown()
    {
        Assert.Null(await Farm.Workers.FindModelAsync("never-seen", Stop));
        Assert.Equal(1, (await Farm.Workers.FindModelAsync("demo", Stop))!.LiveWorkers);
        Farm.Time.Advance(WorkerRegistry.LiveFor + TimeSpan.FromSeconds(1));
        Assert.Equal(0, (await Farm.Workers.FindModelAsync("demo", Stop))!.LiveWorkers);
        Assert.False((await Farm.Workers.FindAsync(Farm.Worker, Stop))!.IsLive);

        await Farm.Workers.SeenAsync(Farm.Worker, Stop);
        Assert.Equal(1, (await Farm.Workers.ModelsAsync(Stop)).Single(m => m.Registration.Id == "demo").LiveWorkers);
    }

    /// <summary>One that was stopped in order is missed by nobody; when it is back its earlier start has no say.</summary>
    [Fact]
    public async Task LeftAsync_IsNoSilence_UntilItRegistersAgain()
    {
        Assert.True(await Farm.Workers.LeftAsync(Farm.Worker, SimulatedWorker.Instance, Stop));
        var left = (await Farm.Workers.FindAsync(Farm.Worker, Stop))!;
        Assert.Equal((WorkerStatus.Stopped, false), (left.Status, left.IsLive));
        Assert.Equal(0, (await Farm.Workers.FindModelAsync("demo", Stop))!.LiveWorkers);
        Assert.Equal(0, (await Farm.Workers.FleetAsync(Stop)).SlotsFor("demo", 0));

        Farm.Time.Advance(WorkerRegistry.LiveFor * 2);
        Assert.Equal(WorkerStatus.Stopped, (await Farm.Workers.FindAsync(Farm.Worker, Stop))!.Status);

        await Farm.RegisterAsync(Start(instance: Other));
        Assert.False(await Farm.Workers.LeftAsync(Farm.Worker, SimulatedWorker.Instance, Stop));
        Assert.Equal(WorkerStatus.Live, (await Farm.Workers.FindAsync(Farm.Worker, Stop))!.Status);
    }

    private const string Other = "0000000000000000000000000000000f";

    /// <summary>Another start of the worker that <see cref="TestFarm.Worker"/> is.</summary>
    private static RegisterWorkerRequest Start(string? identity = null, string? instance = null, string? place = null) =>
        TestFarm.Registration("rack-1", "demo") with
        {
            Identity = identity ?? SimulatedWorker.IdentityOf("rack-1"),
            Instance = instance ?? SimulatedWorker.Instance,
            Place = place,
        };
}
