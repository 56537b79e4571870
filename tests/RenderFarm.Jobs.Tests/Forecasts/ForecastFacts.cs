using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Forecasts;

public sealed class ForecastOnSqlite() : ForecastFacts(new SqliteStore());

public sealed class ForecastOnPostgres() : ForecastFacts(new PostgresStore());

public abstract class ForecastFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task OfAsync_JobsComeAndGo_PlacesFollowAtOnce()
    {
        var jobs = new List<Job>();
        for (var i = 0; i < 4; i++)
        {
            jobs.Add(await Farm.SubmitAsync());
            Assert.Equal(i, (await Farm.Forecast.OfAsync(jobs[i], Stop)).Ahead);
        }

        var urgent = await Farm.SubmitAsync(Farm.NewJob() with { Priority = 90 });
        await AssertAheadAsync([0, 1, 2, 3, 4], [urgent, .. jobs]);
        await Farm.Jobs.CancelAsync(jobs[0].Id, JobScope.All, Stop);
        await AssertAheadAsync([0, 1, 2, 3], [urgent, .. jobs[1..]]);
        Assert.Equal(urgent.Id, (await Farm.LeaseAsync()).Id);
        await AssertAheadAsync([0, 1, 2], jobs[1..]);
        await Farm.Jobs.RetryAsync(jobs[0].Id, JobScope.All, Stop);
        await AssertAheadAsync([0, 1, 2, 3], jobs);
        Assert.Null((await Farm.Forecast.OfAsync(await Farm.GetAsync(urgent.Id), Stop)).Ahead);
    }

    [Fact]
    public async Task OfAsync_OtherModelsAndManyAtOnce_CountsItsOwnLineOnly()
    {
        await Farm.RegisterAsync("rack-2", "other");
        await Farm.SubmitAsync(Farm.NewJob("other"));
        var jobs = await Task.WhenAll(
            Enumerable
                .Range(0, 30)
                .Select(async _ =>
                {
                    var job = await Farm.SubmitAsync();
                    await Farm.Forecast.OfAsync(job, Stop);
                    return job;
                })
        );
        await AssertAheadAsync([.. Enumerable.Range(0, 30)], [.. jobs.OrderBy(job => job.OrderKey)]);
    }

    [Fact]
    public async Task OfAsync_RendersWereMeasured_TellsWhatTheyTook()
    {
        // Estimated at 10 s each; the processor takes 30
        for (var i = 0; i < 5; i++)
        {
            await Farm.SubmitAsync();
            var lease = await Farm.LeaseAsync();
            Farm.Time.Advance(TimeSpan.FromSeconds(30));
            await Farm.CompleteAsync(lease);
        }
        Farm.Time.Advance(TimeSpan.FromSeconds(6));
        await Farm.Workers.SeenAsync(Farm.Worker, Stop);
        await CpuOnlyAsync();

        var running = await Farm.SubmitAsync();
        await Farm.LeaseAsync();
        var (next, last) = (await Farm.SubmitAsync(), await Farm.SubmitAsync());
        await AssertSecondsAsync([30, 60, 90], running, next, last);
        Farm.Time.Advance(TimeSpan.FromSeconds(10));
        await AssertSecondsAsync([20, 50, 80], running, next, last);
    }

    [Fact]
    public async Task OfAsync_NoSlotThatTakesTheJob_SaysThatItIsNotServed()
    {
        var large = await Farm.SubmitAsync(Farm.NewJob() with { VramClass = 80, LeastVramBytes = 60 * TestFarm.GiB });
        var small = await Farm.SubmitAsync();
        Assert.False((await Farm.Forecast.OfAsync(large, Stop)).IsServed);
        Assert.True((await Farm.Forecast.OfAsync(small, Stop)).IsServed);

        await Farm.Workers.SetDrainingAsync(Farm.Worker, true, Stop);
        Farm.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.False((await Farm.Forecast.OfAsync(small, Stop)).IsServed);
    }

    private async Task AssertAheadAsync(List<int> expected, IReadOnlyList<Job> jobs)
    {
        var ahead = new List<int>();
        foreach (var job in jobs)
        {
            ahead.Add((await Farm.Forecast.OfAsync(await Farm.GetAsync(job.Id), Stop)).Ahead!.Value);
        }

        Assert.Equal(expected, ahead);
    }

    private async Task AssertSecondsAsync(List<double> expected, params Job[] jobs)
    {
        var seconds = new List<double>();
        foreach (var job in jobs)
        {
            seconds.Add(Math.Round((await Farm.Forecast.OfAsync(await Farm.GetAsync(job.Id), Stop)).Seconds!.Value, 3));
        }

        Assert.Equal(expected, seconds);
    }

    /// <summary>The worker comes back without its card.</summary>
    private Task CpuOnlyAsync() =>
        Farm.RegisterAsync(
            new RegisterWorkerRequest
            {
                Protocol = WorkerProtocol.Current,
                Identity = SimulatedWorker.IdentityOf("rack-1"),
                Instance = SimulatedWorker.Instance,
                Name = "rack-1",
                Host = "test",
                Version = "1",
                Slots =
                [
                    new SlotDescription
                    {
                        Id = "cpu",
                        Kind = SlotKind.Cpu,
                        Card = "processor",
                        TotalBytes = 8 * TestFarm.GiB,
                    },
                ],
                Models = [new ModelRegistration("demo", Planning.Models.ModelShapes.Demo, new Dictionary<string, string>())],
            }
        );
}
