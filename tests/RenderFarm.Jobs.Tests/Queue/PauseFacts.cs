using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Queue;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Queue;

public sealed class PausesOnSqlite() : PauseFacts(new SqliteStore());

public sealed class PausesOnPostgres() : PauseFacts(new PostgresStore());

/// <summary>Nothing of what is paused is leased; what runs goes on.</summary>
public abstract class PauseFacts(StoreUnderTest store) : FarmFacts(store)
{
    private QueuePauses? _pauses;
    private QueuePauses Pauses => _pauses ??= new(Farm.Database, Farm.Signal, Farm.Time);

    [Fact]
    public async Task Pause_OfAModel_LeavesItsJobsAndLetsOthersGo()
    {
        await Farm.RegisterAsync("rack-1", "demo", "other");
        var paused = await Farm.SubmitAsync(New());
        var free = await Farm.SubmitAsync(New("other"));
        await Pauses.PauseAsync(new("demo", null), Stop);

        Assert.Equal(free.Id, (await Farm.LeaseAsync()).Id);
        Assert.Null(await Farm.TryLeaseAsync());
        Assert.Equal("demo", (await Pauses.OfAsync(paused, Stop))?.Part.Model);
        Assert.Null(await Pauses.OfAsync(free, Stop));

        Assert.Equal(1, await Pauses.ResumeAsync(new("demo", null), Stop));
        Assert.Equal(paused.Id, (await Farm.LeaseAsync()).Id);
    }

    [Fact]
    public async Task Pause_OfAKey_LetsOtherKeysGo_AndOfAModelOfItThatAlone()
    {
        await Farm.RegisterAsync("rack-1", "demo", "other");
        var stranger = await Farm.NewKeyAsync("stranger");
        var (mine, mineOther) = (await Farm.SubmitAsync(New()), await Farm.SubmitAsync(New("other")));
        var theirs = await Farm.SubmitAsync(New() with { KeyId = stranger });
        await Pauses.PauseAsync(new(null, Farm.Key), Stop);

        Assert.Equal(theirs.Id, (await Farm.LeaseAsync()).Id);
        Assert.Null(await Farm.TryLeaseAsync());

        await Pauses.ResumeAsync(new(null, Farm.Key), Stop);
        await Pauses.PauseAsync(new("demo", Farm.Key), Stop);
        Assert.Equal(mineOther.Id, (await Farm.LeaseAsync()).Id);
        Assert.Null(await Farm.TryLeaseAsync());

        await Pauses.ResumeAsync(new("demo", Farm.Key), Stop);
        Assert.Equal(mine.Id, (await Farm.LeaseAsync()).Id);
    }

    [Fact]
    public async Task Pause_OfAll_HoldsEverything_RunningOnesComplete_AndResumeOfAllEndsEveryPause()
    {
        await Farm.SubmitAsync(New());
        var running = await Farm.LeaseAsync();
        var waiting = await Farm.SubmitAsync(New());
        await Pauses.PauseAsync(new(null, null), Stop);
        await Pauses.PauseAsync(new(null, null), Stop);
        await Pauses.PauseAsync(new("demo", null), Stop);

        Assert.Null(await Farm.TryLeaseAsync());
        Assert.NotNull(await Farm.CompleteAsync(running));
        Assert.Equal(2, (await Pauses.ListAsync(Stop)).Count);
        await Pauses.ResumeAsync(new("demo", null), Stop);
        Assert.Null(await Farm.TryLeaseAsync());

        await Pauses.PauseAsync(new("demo", null), Stop);
        Assert.Equal(2, await Pauses.ResumeAsync(new(null, null), Stop));
        Assert.Equal(waiting.Id, (await Farm.LeaseAsync()).Id);
    }

    /// <summary>What is held back waits for whoever paused it: it is counted apart, and nobody promised it anything.</summary>
    [Fact]
    public async Task Pause_CountsWhatItHoldsApart_AndItsPromisesAreOff()
    {
        await Farm.RegisterAsync("rack-1", "demo", "other");
        await Farm.SubmitAsync(New());
        await Farm.SubmitAsync(New("other"));
        await Pauses.PauseAsync(new("demo", Farm.Key), Stop);
        await Farm.SubmitAsync(New());

        var queues = (await Farm.Jobs.CountsAsync(Stop)).Queues.Select(queue => (queue.Model, queue.IsHeld, queue.Count));
        Assert.Equal([("demo", true, 2), ("other", false, 1)], queues.Order());

        Assert.NotNull((await Farm.LeaseAsync()).PromisedSeconds);
        await Pauses.ResumeAsync(new("demo", Farm.Key), Stop);
        Assert.Null((await Farm.LeaseAsync()).PromisedSeconds);
        Assert.Null((await Farm.LeaseAsync()).PromisedSeconds);
        Assert.All((await Farm.Jobs.CountsAsync(Stop)).Queues, queue => Assert.False(queue.IsHeld));
    }

    [Fact]
    public async Task Board_ShowsWhatWaitsAndHowMuchOfItEndsAnHour()
    {
        await Farm.SubmitAsync(New());
        await Farm.CompleteAsync(await Farm.LeaseAsync());
        await Farm.SubmitAsync(New());
        await Farm.SubmitAsync(New());
        await Farm.SubmitAsync(New() with { VramClass = 24 });
        Farm.Time.Advance(TimeSpan.FromSeconds(90));

        var lanes = await new QueueBoard(Farm.Database, Farm.Time).ReadAsync(Stop);

        Assert.Equal(
            [new QueueLane("demo", 0, 2, lanes[0].OldestSeconds, 20, 1), new QueueLane("demo", 24, 1, lanes[1].OldestSeconds, 10, 0)],
            lanes
        );
        Assert.InRange(lanes[0].OldestSeconds!.Value, 89, 91);
    }

    private NewJob New(string model = "demo")
    {
        Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
        return Farm.NewJob(model) with { Id = JobIds.New(Farm.Time) };
    }
}
