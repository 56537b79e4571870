using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Events;

public sealed class EventLogOnSqlite() : EventLogFacts(new SqliteStore());

public sealed class EventLogOnPostgres() : EventLogFacts(new PostgresStore());

public abstract class EventLogFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task PlaceAsync_EventsOfTwoJobs_GetOneGaplessOrder()
    {
        var before = await EndAsync();
        await Farm.SubmitAsync();
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising);
        await Farm.CompleteAsync(lease);

        var end = await EndAsync();
        var log = await Farm.Events.AfterAsync(before, Stop);
        Assert.Equal(before + 4, end);
        Assert.Equal(Enumerable.Range(1, 4).Select(i => before + i), log.Select(e => e.Position));
        Assert.Equal(
            ["video.queued", "video.started", "video.completed"],
            log.Where(e => e.JobId == lease.Id).Select(e => Word.Of(e.Type))
        );
    }

    [Fact]
    public async Task PlaceAsync_TwoProcessesAtOnce_GiveEveryPlaceOnce()
    {
        var before = await EndAsync();
        for (var i = 0; i < 30; i++)
        {
            await Farm.SubmitAsync();
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Farm.Events.PlaceAsync(Stop), Stop)));
        var log = await Farm.Events.AfterAsync(before, Stop);
        Assert.Equal(Enumerable.Range(1, 30).Select(i => before + i), log.Select(e => e.Position));
    }

    [Fact]
    public async Task ForwardAsync_ReaderFails_GetsTheSameEventsAgainAndThenNoMore()
    {
        await DrainAsync("test");
        var job = await Farm.SubmitAsync(Farm.NewJob() with { IdempotencyKey = Guid.NewGuid().ToString() });
        await Farm.Events.PlaceAsync(Stop);
        await Assert.ThrowsAsync<IOException>(() => Farm.Events.ForwardAsync("test", _ => throw new IOException("away"), Stop));

        var got = await DrainAsync("test");
        var told = Assert.Single(got);
        Assert.Equal((VideoEvent.Queued, job.Id), (told.Event.Type, told.Job.Id));
        Assert.NotNull(told.IdempotencyKey);
        Assert.Empty(await DrainAsync("test"));
    }

    [Fact]
    public async Task ForwardAsync_AfterTheJobHasEnded_ShowsEachEventAsItWas()
    {
        await DrainAsync("test");
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising, step: 3);
        await Farm.CompleteAsync(lease);
        await Farm.Events.PlaceAsync(Stop);

        var mine = (await DrainAsync("test")).Where(told => told.Job.Id == lease.Id).ToList();
        Assert.Equal([JobState.Queued, JobState.Rendering, JobState.Completed], mine.Select(told => told.Job.State));
        Assert.Equal([0, 0, 1], mine.Select(told => told.Job.Artifacts.Count));
        Assert.Equal([false, false, true], mine.Select(told => told.Job.FinishedAt is not null));
    }

    [Fact]
    public async Task EventFeed_ASubmissionHere_IsToldWithoutWaitingForTheNextLook()
    {
        var feed = new EventFeed(Farm.Events, Farm.Database, TimeProvider.System, NullLogger<EventFeed>.Instance);
        var heard = new TaskCompletionSource<JobEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await EndAsync();
        var running = Task.Run(() => feed.RunAsync(stop.Token), Stop);
        string? wanted = null;
        feed.Happened += news =>
        {
            if (news.FirstOrDefault(e => e.JobId == Volatile.Read(ref wanted)) is { } mine)
            {
                heard.TrySetResult(mine);
            }
        };

        // The feed may be starting still and then begins after this one: the next is told
        while (!heard.Task.IsCompleted)
        {
            var job = Farm.NewJob();
            Volatile.Write(ref wanted, job.Id);
            await Farm.SubmitAsync(job);
            await Task.WhenAny(heard.Task, Task.Delay(500, Stop));
        }

        Assert.Equal(VideoEvent.Queued, (await heard.Task).Type);
        await stop.CancelAsync();
        await running;
    }

    private async Task<long> EndAsync()
    {
        await Farm.Events.PlaceAsync(Stop);
        return await Farm.Events.EndAsync(Stop);
    }

    private async Task<List<EventOfJob>> DrainAsync(string reader)
    {
        await Farm.Events.PlaceAsync(Stop);
        var got = new List<EventOfJob>();
        while (
            await Farm.Events.ForwardAsync(
                reader,
                news =>
                {
                    got.AddRange(news);
                    return Task.CompletedTask;
                },
                Stop
            ) > 0
        ) { }
        return got;
    }
}
