using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;
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
    public async Task ForwardAsync_WhileAnotherProcessIsAtIt_LeavesItTheEvents()
    {
        await DrainAsync("test");
        await Farm.SubmitAsync();
        await Farm.Events.PlaceAsync(Stop);
        var other = new EventLog(Farm.Database, Farm.Time);
        var meanwhile = new List<int>();

        var told = await Farm.Events.ForwardAsync(
            "test",
            async _ => meanwhile.Add(await other.ForwardAsync("test", _ => Task.CompletedTask, Stop)),
            Stop
        );

        Assert.Equal(1, told);
        Assert.Equal([0], meanwhile);
        Assert.Equal(0, await other.ForwardAsync("test", _ => Task.CompletedTask, Stop));
    }

    [Fact]
    public async Task ForwardAsync_ProcessDiedAtIt_IsFollowedByAnotherWhenItsHoldIsOver()
    {
        await DrainAsync("test");
        await Farm.SubmitAsync();
        await Farm.Events.PlaceAsync(Stop);
        await Assert.ThrowsAsync<IOException>(() => Farm.Events.ForwardAsync("test", _ => throw new IOException("killed"), Stop));
        var other = new EventLog(Farm.Database, Farm.Time);
        Assert.Equal(0, await other.ForwardAsync("test", _ => Task.CompletedTask, Stop));

        await Farm.SqlAsync(dialect => $"UPDATE log_cursors SET held_until = {dialect.NowPlus("-1")} WHERE name = @id", "test");

        Assert.Equal(1, await other.ForwardAsync("test", _ => Task.CompletedTask, Stop));
    }

    /// <summary>A reader may be as slow as a broker without memory: writers, and a vacuum, would wait for the transaction.</summary>
    [Fact]
    public async Task ForwardAsync_WhileTheReaderIsAtIt_HoldsNoTransactionOpen()
    {
        await DrainAsync("test");
        await Farm.SubmitAsync();
        await Farm.Events.PlaceAsync(Stop);
        var open = new List<long>();

        await Farm.Events.ForwardAsync(
            "test",
            async _ =>
            {
                // On SQLite an open one would keep this writer waiting, and on PostgreSQL it would be seen
                await Farm.SubmitAsync();
                open.Add(await OpenTransactionsAsync());
            },
            Stop
        );

        Assert.Equal([0], open);
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
        var feed = new EventFeed(Farm.Events, Farm.Database, TimeProvider.System);
        var heard = new TaskCompletionSource<JobEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await EndAsync();
        var running = feed.KeepAsync(stop.Token);
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

    private Task<long> OpenTransactionsAsync() =>
        Farm.Database.Postgres is null
            ? Task.FromResult(0L)
            : Farm.Database.ReadAsync(
                async db =>
                    (
                        await db.RowsAsync(
                            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in trans%'",
                            row => row.GetInt64(0),
                            Stop
                        )
                    ).Single(),
                Stop
            );

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
