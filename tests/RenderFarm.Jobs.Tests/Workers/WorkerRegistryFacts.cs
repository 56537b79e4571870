using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Tests.Workers;

public sealed class WorkerRegistryOnSqlite() : WorkerRegistryFacts(new SqliteStore());

public sealed class WorkerRegistryOnPostgres() : WorkerRegistryFacts(new PostgresStore());

public abstract class WorkerRegistryFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task RegisterAsync_SameNameAgain_KeepsTheIdAndTakesTheNewModels()
    {
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync("rack-1", "t2v-14b"));
        Assert.Equal(["t2v-14b"], (await Farm.Workers.FindAsync(Farm.Worker, Stop))!.Models);
        Assert.NotEqual(Farm.Worker, await Farm.RegisterAsync("rack-2", "demo"));
        Assert.Equal(["rack-1", "rack-2"], (await Farm.Workers.ListAsync(Stop)).Select(w => w.Name));
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
}
