using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Tests.Users;

public sealed class SearchOnSqlite() : SearchFacts(new SqliteStore());

public sealed class SearchOnPostgres() : SearchFacts(new PostgresStore());

/// <summary>What lists by filters find, whatever leads the walk.</summary>
public abstract class SearchFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task List_ByOneThing_FindsThoseAlone_OfEverybodyAndOfAKey()
    {
        var batch = Batches.NewBatch(Farm.Time);
        var completed = await EndedAsync(Farm.CompleteAsync);
        var failed = await EndedAsync(lease => Farm.FailAsync(lease, FailureReason.InvalidRequest));
        var waiting = await Farm.SubmitAsync(
            New() with { BatchId = batch, BatchLine = 1, Metadata = new Dictionary<string, string> { ["shot"] = "12 b", ["star"] = "1" } }
        );
        var other = await Farm.SubmitAsync(New() with { Spec = Farm.NewJob("other").Spec with { Prompt = @"50% of an Ällipse_\ " } });
        var cancelled = await Farm.SubmitAsync(New());
        await Farm.Jobs.CancelAsync(cancelled.Id, JobScope.All, Stop);
        var running = await Farm.SubmitAsync(New() with { Priority = 100 });
        Assert.Equal(running.Id, (await Farm.LeaseAsync()).Id);

        foreach (var scope in new[] { JobScope.All, JobScope.OfKey(Farm.Key) })
        {
            await FindsAsync(scope, new() { States = [JobState.Queued] }, other.Id, waiting.Id);
            await FindsAsync(scope, new() { States = [JobState.Leased, JobState.Rendering, JobState.Uploading] }, running.Id);
            await FindsAsync(scope, new() { States = [JobState.Completed] }, completed);
            await FindsAsync(scope, new() { States = [JobState.Cancelled, JobState.Failed] }, cancelled.Id, failed);
            await FindsAsync(scope, new() { Model = "other" }, other.Id);
            await FindsAsync(scope, new() { Workers = [Farm.Worker] }, running.Id, failed, completed);
            await FindsAsync(scope, new() { Workers = [Farm.Worker, "worker_x"] }, running.Id, failed, completed);
            await FindsAsync(scope, new() { Workers = ["worker_x"] });
            await FindsAsync(scope, new() { BatchId = batch }, waiting.Id);
            await FindsAsync(scope, new() { ErrorCode = "invalid_request" }, failed);
            await FindsAsync(scope, new() { Metadata = Pairs(("shot", "12 b")) }, waiting.Id);
            await FindsAsync(scope, new() { Metadata = Pairs(("shot", "12 b"), ("star", "1")) }, waiting.Id);
            await FindsAsync(scope, new() { Metadata = Pairs(("shot", "12 b"), ("star", "2")) });
            await FindsAsync(scope, new() { Text = "50% OF" }, other.Id);
            await FindsAsync(scope, new() { Text = @"e_\ " }, other.Id);
            await FindsAsync(scope, new() { Text = "5_%" });
            await FindsAsync(scope, new() { Ids = [failed, "video_x"] }, failed);
            await FindsAsync(scope, new() { Model = "demo", States = [JobState.Queued] }, waiting.Id);
        }

        var stranger = JobScope.OfKey(await Farm.NewKeyAsync("stranger"));
        await FindsAsync(stranger, new() { BatchId = batch });
        await FindsAsync(stranger, new() { Metadata = Pairs(("star", "1")) });
        await FindsAsync(stranger, new() { Ids = [failed] });
    }

    [Fact]
    public async Task List_ByTime_HasTheFirstMomentAndNotTheLast_AndIsAsExactAsTheRow()
    {
        var start = Farm.Time.GetUtcNow();
        var jobs = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            // The id is from a while before its row
            var job = New();
            Farm.Time.Advance(TimeSpan.FromMinutes(10));
            jobs.Add((await Farm.SubmitAsync(job)).Id);
        }

        await FindsAsync(JobScope.All, new() { CreatedFrom = start.AddMinutes(20) }, jobs[3], jobs[2], jobs[1]);
        await FindsAsync(JobScope.All, new() { CreatedFrom = start.AddMinutes(21), CreatedBefore = start.AddMinutes(40) }, jobs[2]);
        await FindsAsync(JobScope.All, new() { CreatedBefore = start.AddMinutes(20) }, jobs[0]);
    }

    /// <summary>What is rare among very many is found over several pages, of which each looks at so many rows.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task List_RareThingBehindMoreThanAPageLooksAt_IsFoundByGoingOn(bool ascending)
    {
        var rare = await Farm.SubmitAsync(New() with { Spec = New().Spec with { Prompt = "a needle" } });
        var many = new List<NewJob>();
        for (var i = 0; i < JobSearch.LookAtTexts + 20; i++)
        {
            Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
            many.Add(New());
        }

        await Batches.SubmitAsync(Farm, many);
        var (found, pages, after) = (new List<string>(), 0, (string?)null);
        while (true)
        {
            var page = await Farm.Jobs.ListAsync(JobScope.All, new() { Text = "needle" }, new PagePlace(10, after, ascending), Stop);
            found.AddRange(page.Jobs.Select(job => job.Id));
            pages++;
            if (!page.HasMore)
            {
                break;
            }

            after = page.Last;
            Assert.True(after is not null && JobIds.IsId(after));
            Assert.False(await Farm.Jobs.ExistsAsync(after, Stop), "the end of a look must be no video's id: it may be another tenant's");
        }

        Assert.Equal([rare.Id], found);
        Assert.Equal(2, pages);
    }

    [Fact]
    public async Task List_FilteredPages_HaveEachVideoOnce()
    {
        for (var i = 0; i < 7; i++)
        {
            Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
            await Farm.SubmitAsync(New() with { Spec = New().Spec with { Prompt = $"ball {i % 2}" } });
        }

        var (seen, after, more) = (new List<string>(), (string?)null, true);
        while (more)
        {
            var page = await Farm.Jobs.ListAsync(JobScope.All, new() { Text = "ball 0" }, new PagePlace(3, after), Stop);
            seen.AddRange(page.Jobs.Select(job => job.Spec.Prompt));
            (after, more) = (page.Last, page.HasMore);
        }

        Assert.Equal(Enumerable.Repeat("ball 0", 4), seen);
    }

    /// <summary>Labels follow what the row says, by whichever way it was written.</summary>
    [Fact]
    public async Task Labels_AfterAnEdit_AreWhatTheMetadataSays_AndGoWithTheirJob()
    {
        var job = await Farm.SubmitAsync(New() with { Metadata = Pairs(("a", "1"), ("b", "2")) });

        var edited = Assert.IsType<EditResult.Edited>(
            await Farm.Jobs.EditAsync(
                job.Id,
                JobScope.All,
                new JobEdit { Metadata = new Dictionary<string, string?> { ["a"] = null, ["b"] = "3", ["c"] = "é \" \\" } },
                Stop
            )
        );

        Assert.Equivalent(Pairs(("b", "3"), ("c", "é \" \\")), edited.Job.Metadata, strict: true);
        await FindsAsync(JobScope.All, new() { Metadata = Pairs(("a", "1")) });
        await FindsAsync(JobScope.All, new() { Metadata = Pairs(("b", "2")) });
        await FindsAsync(JobScope.All, new() { Metadata = Pairs(("c", "é \" \\")) }, job.Id);
        await Farm.SqlAsync(_ => "DELETE FROM jobs WHERE id = @id", job.Id);
        Assert.Equal(0, await Farm.Database.ReadAsync(db => Task.FromResult(db.JobLabels.Count()), Stop));
    }

    private NewJob New() => Farm.NewJob() with { Id = JobIds.New(Farm.Time) };

    private static Dictionary<string, string> Pairs(params (string Name, string Value)[] pairs) =>
        pairs.ToDictionary(pair => pair.Name, pair => pair.Value);

    private async Task<string> EndedAsync(Func<LeasedJob, Task<LeaseOutcome?>> end)
    {
        Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
        await Farm.SubmitAsync(New());
        var lease = await Farm.LeaseAsync();
        await end(lease);
        Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
        return lease.Id;
    }

    /// <summary>Newest first.</summary>
    private async Task FindsAsync(JobScope scope, JobFilter filter, params string[] ids)
    {
        var page = await Farm.Jobs.ListAsync(scope, filter, new PagePlace(100), Stop);
        Assert.Equal(ids.OrderDescending(StringComparer.Ordinal), page.Jobs.Select(job => job.Id));
        Assert.False(page.HasMore);
    }
}
