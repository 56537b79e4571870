using RenderFarm.Simulation.Cards;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Engine;
using RenderFarm.Simulation.Queues;
using RenderFarm.Simulation.Supply;
using RenderFarm.Simulation.Trials;

namespace RenderFarm.Simulation.Tests;

public sealed class TwinTests
{
    private const int Queues = 10_000;
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Take_OnTenThousandRandomQueues_ChoosesAsTheStatementDoes()
    {
        await using var queue = await RandomQueue.CreateAsync();
        var (jobs, nothing) = (0, 0);
        for (var seed = 0; seed < Queues; seed++)
        {
            var (store, twin) = await queue.AskAsync(seed);

            Assert.True(store == twin, $"seed {seed}: {store ?? "nothing"} from the store, {twin ?? "nothing"} from its twin");
            (jobs, nothing) = store is null ? (jobs, nothing + 1) : (jobs + 1, nothing);
        }

        // Both kinds of answer are common, or the queues were not worth asking
        Assert.True(jobs > Queues / 4 && nothing > Queues / 20, $"{jobs} times a job, {nothing} times nothing");
    }

    [Fact]
    public async Task Simulation_OfTheStoreAndItsTwin_NeverDiffers()
    {
        var farm = new Scenario(CardKind.Mixed, [.. VideoKind.Mixed.Take(4)], CardCount: 12, Seed: 5, Plots: null);
        var park = farm.NewPark(spotShare: 0.5);
        var both = new BothQueues(await StoreQueue.CreateAsync(park), new FarmOrder(park));
        await using (both)
        {
            var rules = new FarmRules { CrashesIn = 6, OutOfMemoryIn = 8, SpotLife = 900, SpotAway = 120 };
            var outcome = await new FarmRun(park, both, rules, farm.Seed).RunAsync(farm.Ask(900, 3_000, daily: false), 3_600, Cancellation);

            Assert.True(outcome.Completed > 200, $"{outcome.Completed} of {outcome.Jobs.Count} made");
            Assert.Contains(outcome.Jobs, job => job.Tally.Failures > 0);
            Assert.Contains(outcome.Jobs, job => job.Fence > 1);
            Assert.True(outcome.LeftWaiting > 0, "no queue ever formed");
        }

        Assert.True(both.Choices > 300, $"{both.Choices} choices");
    }

    [Fact]
    public async Task Run_Again_IsTheSame()
    {
        var farm = new Scenario(CardKind.Mixed, VideoKind.Mixed, CardCount: 40, Seed: 3, Plots: null);
        var one = await farm.RunAsync(park => new FarmOrder(park), 500, 3_600, daily: false, Cancellation);
        var other = await farm.RunAsync(park => new FarmOrder(park), 500, 3_600, daily: false, Cancellation);

        Assert.Equal(
            one.Jobs.Select(job => (job.TakenAt, job.EndedAt, job.Failed)),
            other.Jobs.Select(job => (job.TakenAt, job.EndedAt, job.Failed))
        );
    }

    [Fact]
    public async Task Order_OneKeyFloodsTheFarm_AnotherStillGetsItsTurn()
    {
        var kind = VideoKind.Mixed[0];
        var (flood, guest) = (new Customer(0, null), new Customer(1, null));
        List<VideoJob> many = [.. Enumerable.Range(0, 400).Select(i => new VideoJob(i, flood, kind, 50, 0))];
        var late = new VideoJob(400, guest, kind, 50, 60);
        Arrival[] arrivals = [new(0, many), new(60, [late])];

        async Task<double> WaitAsync(Func<CardPark, IJobQueue> order)
        {
            var park = new CardPark([new CardKind("RTX 4090", 1)], 4, [kind.Needs.Model], spotShare: 0, new Random(1));
            await using var queue = order(park);
            var rules = new FarmRules { CrashesIn = double.PositiveInfinity, OutOfMemoryIn = double.PositiveInfinity };
            await new FarmRun(park, queue, rules, seed: 1).RunAsync(arrivals, 86_400, Cancellation);
            var wait = late.TakenAt!.Value - late.SubmittedAt;
            (late.TakenAt, late.EndedAt) = (null, null);
            return wait;
        }

        var fair = await WaitAsync(park => new FarmOrder(park));
        var plain = await WaitAsync(_ => new PlainQueue());

        Assert.True(fair < kind.SecondsOn(new CardKind("RTX 4090", 1)) * 2, $"{fair} s");
        Assert.True(plain > fair * 10, $"{plain} s against {fair} s");
    }
}
