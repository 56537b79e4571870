using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Tests.Intake;

public sealed class SubmitOnSqlite() : SubmitFacts(new SqliteStore());

public sealed class SubmitOnPostgres() : SubmitFacts(new PostgresStore());

public abstract class SubmitFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task SubmitAsync_NewJob_IsQueuedWithItsEvent()
    {
        var submitted = Farm.NewJob() with
        {
            Metadata = new Dictionary<string, string> { ["scene"] = "7" },
            ExpiresAfter = TimeSpan.FromHours(1),
        };
        Assert.IsType<SubmitResult.Created>(await Farm.Jobs.SubmitAsync(submitted, Stop));

        var job = await Farm.GetAsync(submitted.Id);
        Assert.Equal((JobState.Queued, RenderStage.Queued, 0L, 0), (job.State, job.Stage, job.Fence, job.Attempt));
        Assert.Equal(submitted.Spec with { Loras = job.Spec.Loras }, job.Spec);
        Assert.Equal("7", job.Metadata!["scene"]);
        Assert.Equal(["video.queued"], await Farm.EventTypesAsync(job.Id));
    }

    [Fact]
    public async Task SubmitAsync_SameIdempotencyKey_GivesTheSameVideoOrAConflict()
    {
        var first = Farm.NewJob() with { IdempotencyKey = "k", RequestHash = "a" };
        var again = first with { Id = JobIds.New(Farm.Time) };
        var other = again with { RequestHash = "b" };
        await Farm.SubmitAsync(first);

        Assert.Equal(first.Id, Assert.IsType<SubmitResult.Existing>(await Farm.Jobs.SubmitAsync(again, Stop)).Job.Id);
        Assert.IsType<SubmitResult.Conflict>(await Farm.Jobs.SubmitAsync(other, Stop));

        var otherKey = other with { KeyId = await Farm.NewKeyAsync("somebody else") };
        Assert.IsType<SubmitResult.Created>(await Farm.Jobs.SubmitAsync(otherKey, Stop));
    }

    [Fact]
    public async Task SubmitAsync_SameIdempotencyKeyAtOnce_MakesOneJob()
    {
        var request = Farm.NewJob() with { IdempotencyKey = "k", RequestHash = "a" };
        var results = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => Farm.Jobs.SubmitAsync(request with { Id = JobIds.New(Farm.Time) }, Stop)))
        );

        Assert.Single(results.OfType<SubmitResult.Created>());
        Assert.Single(results.Select(r => r.Job.Id).Distinct());
    }

    [Fact]
    public async Task SubmitAsync_ClientRetry_IsTheSameVideoForTenMinutes()
    {
        var first = Farm.NewJob() with { RequestHash = "a" };
        await Farm.SubmitAsync(first);
        NewJob Repeat() => first with { Id = JobIds.New(Farm.Time), IsClientRetry = true };

        Assert.Equal(first.Id, Assert.IsType<SubmitResult.Existing>(await Farm.Jobs.SubmitAsync(Repeat(), Stop)).Job.Id);
        Assert.IsType<SubmitResult.Created>(await Farm.Jobs.SubmitAsync(Repeat() with { IsClientRetry = false }, Stop));
        Farm.Time.Advance(JobSubmission.RepeatWindow + TimeSpan.FromSeconds(1));
        Assert.IsType<SubmitResult.Created>(await Farm.Jobs.SubmitAsync(Repeat(), Stop));
    }

    [Fact]
    public async Task GetAsync_AnotherKeysJob_IsNotThere()
    {
        var job = await Farm.SubmitAsync();
        var stranger = JobScope.OfKey(await Farm.NewKeyAsync("stranger"));

        Assert.Null(await Farm.Jobs.GetAsync(job.Id, stranger, Stop));
        Assert.Null(await Farm.Jobs.CancelAsync(job.Id, stranger, Stop));
        Assert.Null(await Farm.Jobs.DeleteAsync(job.Id, stranger, Stop));
        Assert.Null(await Farm.Jobs.LeasesAsync(job.Id, stranger, Stop));
        Assert.IsType<RetryResult.NotFound>(await Farm.Jobs.RetryAsync(job.Id, stranger, Stop));
        Assert.Empty((await Farm.Jobs.ListAsync(stranger, JobFilter.All, new PagePlace(10), Stop)).Jobs);
        Assert.NotNull(await Farm.Jobs.GetAsync(job.Id, JobScope.OfKey(Farm.Key), Stop));
        Assert.NotNull(await Farm.Jobs.GetAsync(job.Id, JobScope.All, Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ListAsync_ByPages_GivesEveryJobOnceInOrder(bool ascending)
    {
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            ids.Add((await Farm.SubmitAsync()).Id);
            Farm.Time.Advance(TimeSpan.FromMilliseconds(5));
        }
        if (!ascending)
        {
            ids.Reverse();
        }

        var seen = new List<string>();
        string? after = null;
        JobPage page;
        do
        {
            page = await Farm.Jobs.ListAsync(JobScope.OfKey(Farm.Key), JobFilter.All, new PagePlace(3, after, ascending), Stop);
            seen.AddRange(page.Jobs.Select(j => j.Id));
            after = seen[^1];
        } while (page.HasMore);
        Assert.Equal(ids, seen);
    }

    [Fact]
    public async Task DeleteAsync_QueuedJob_CancelsAndHidesIt()
    {
        var job = await Farm.SubmitAsync();
        Assert.Equal(JobState.Cancelled, (await Farm.Jobs.DeleteAsync(job.Id, JobScope.OfKey(Farm.Key), Stop))!.State);

        Assert.Null(await Farm.Jobs.GetAsync(job.Id, JobScope.All, Stop));
        Assert.Null(await Farm.Jobs.DeleteAsync(job.Id, JobScope.All, Stop));
        Assert.Null(await Farm.TryLeaseAsync());
    }

    [Fact]
    public async Task CountsAsync_MixedStates_CountsEach()
    {
        await Farm.SubmitAsync();
        await Farm.SubmitAsync();
        await Farm.SubmitAsync();
        await Farm.CompleteAsync(await Farm.LeaseAsync());
        await Farm.LeaseAsync();

        var counts = await Farm.Jobs.CountsAsync(Stop);
        Assert.Equal([(JobState.Queued, 1), (JobState.Leased, 1)], counts.ByState.OrderBy(s => s.Key).Select(s => (s.Key, s.Value)));
        Assert.Equal(("demo", 0, 1), counts.Queues.Select(q => (q.Model, q.VramClass, q.Count)).Single());
        Assert.Equal((JobState.Completed, 1), (await Farm.Jobs.EndedCountsAsync(Stop)).Select(s => (s.Key, s.Value)).Single());
    }

    [Fact]
    public async Task SubmitAsync_RepeatOfADeletedJob_IsANewOne()
    {
        var first = Farm.NewJob() with { RequestHash = "hash" };
        await Farm.Jobs.SubmitAsync(first, Stop);
        await Farm.Jobs.DeleteAsync(first.Id, JobScope.All, Stop);

        var again = first with { Id = JobIds.New(Farm.Time), IsClientRetry = true };
        Assert.IsType<SubmitResult.Created>(await Farm.Jobs.SubmitAsync(again, Stop));
    }

    [Fact]
    public async Task RetryAsync_CancelledAndRunAgainManyTimes_GainsNoPlaceInTheQueue()
    {
        var first = await Farm.SubmitAsync();
        var second = await Farm.SubmitAsync();
        for (var i = 0; i < 5; i++)
        {
            await Farm.Jobs.CancelAsync(first.Id, JobScope.All, Stop);
            Assert.IsType<RetryResult.Requeued>(await Farm.Jobs.RetryAsync(first.Id, JobScope.All, Stop));
        }

        Assert.True((await Farm.SubmitAsync()).OrderKey > second.OrderKey);
    }
}
