using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Tests.Users;

public sealed class BulkOnSqlite() : BulkFacts(new SqliteStore());

public sealed class BulkOnPostgres() : BulkFacts(new PostgresStore());

public abstract class BulkFacts(StoreUnderTest store) : FarmFacts(store)
{
    private JobBulk Bulk => new(Farm.Database, Farm.Jobs, Farm.Time);

    [Fact]
    public async Task Cancel_MoreThanOneStep_EndsThoseThatWait_AsksThoseAtWork_AndLeavesTheEnded()
    {
        await Farm.SubmitAsync(New());
        var done = await Farm.LeaseAsync();
        await Farm.CompleteAsync(done);
        await Batches.SubmitAsync(Farm, [.. Enumerable.Range(0, 450).Select(_ => New())]);
        var held = await Farm.LeaseAsync();

        Assert.Equal(450, await Bulk.CountAsync(JobScope.All, JobFilter.All, BulkAction.Cancel, Stop));
        var result = Assert.IsType<BulkResult.Done>(await Bulk.DoAsync(JobScope.All, JobFilter.All, BulkAction.Cancel, 450, Stop));

        Assert.Equal((450, 450), (result.Matched, result.Count));
        Assert.Equal(held.Id, Assert.Single(result.Held).Id);
        Assert.Equal(449, await CountAsync(JobState.Cancelled));
        Assert.Equal(1, await CountAsync(JobState.Completed));
        Assert.True((await Farm.GetAsync(held.Id)).CancelRequested);
        Assert.Equal(449, await ToldAsync(VideoEvent.Cancelled));
    }

    [Fact]
    public async Task Do_AnotherCountThanExpected_ChangesNothing()
    {
        await Farm.SubmitAsync(New());

        var changed = Assert.IsType<BulkResult.Changed>(await Bulk.DoAsync(JobScope.All, JobFilter.All, BulkAction.Delete, 2, Stop));

        Assert.Equal(1, changed.Matched);
        Assert.Equal(1, await CountAsync(JobState.Queued));
    }

    [Fact]
    public async Task Retry_PastAQuota_DoesWhatThereIsRoomForAndNamesTheRest()
    {
        Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
        var key = (
            await Farm.Keys.CreateAsync("small", KeyScopes.Submit, 100, new KeyTerms { Limits = new KeyLimits { Queued = 2 } }, Stop)
        ).Key.Id;
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
            var job = await Farm.SubmitAsync(New() with { KeyId = key });
            await Farm.Jobs.CancelAsync(job.Id, JobScope.All, Stop);
            ids.Add(job.Id);
        }

        var result = Assert.IsType<BulkResult.Done>(
            await Bulk.DoAsync(JobScope.OfKey(key), new JobFilter { States = [JobState.Cancelled] }, BulkAction.Retry, null, Stop)
        );

        Assert.Equal((3, 2), (result.Matched, result.Count));
        Assert.Equal(new BulkFailure(ids[2], BulkFault.QuotaExceeded), Assert.Single(result.Failed));
    }

    [Fact]
    public async Task Delete_OfAKey_LeavesThoseOfOthers_AndWhatWasDeletedIsUndeletedOneByOne()
    {
        var mine = await Farm.SubmitAsync(New());
        var stranger = await Farm.NewKeyAsync("stranger");
        await Farm.SubmitAsync(New() with { KeyId = stranger });

        var scope = JobScope.OfKey(Farm.Key);
        var result = Assert.IsType<BulkResult.Done>(await Bulk.DoAsync(scope, JobFilter.All, BulkAction.Delete, null, Stop));

        Assert.Equal((1, 1), (result.Matched, result.Count));
        Assert.Null(await Farm.Jobs.GetAsync(mine.Id, scope, Stop));
        Assert.Equal(1, await CountAsync(JobState.Queued));
        Assert.IsType<UndeleteResult.NotFound>(await Farm.Jobs.UndeleteAsync(mine.Id, JobScope.OfKey(stranger), Stop));
        var seen = Assert.IsType<UndeleteResult.Seen>(await Farm.Jobs.UndeleteAsync(mine.Id, scope, Stop));
        Assert.Equal(JobState.Cancelled, seen.Job.State);
    }

    [Fact]
    public async Task Edit_PriorityOfOneThatWaits_GivesItThePlaceThatASubmissionWouldHave()
    {
        var first = await Farm.SubmitAsync(New());
        var second = await Farm.SubmitAsync(New());

        var edited = Assert.IsType<EditResult.Edited>(
            await Farm.Jobs.EditAsync(second.Id, JobScope.All, new JobEdit { Priority = 51 }, Stop)
        );

        Assert.Equal(second.OrderKey - OrderKey.HeadStartSeconds, edited.Job.OrderKey, 6);
        Assert.Equal(second.Id, (await Farm.LeaseAsync()).Id);
        Assert.IsType<EditResult.NotWaiting>(await Farm.Jobs.EditAsync(second.Id, JobScope.All, new JobEdit { Priority = 1 }, Stop));
        Assert.Equal(first.Id, (await Farm.LeaseAsync("gpu0")).Id);
    }

    private NewJob New()
    {
        Farm.Time.Advance(TimeSpan.FromMilliseconds(1));
        return Farm.NewJob() with { Id = JobIds.New(Farm.Time) };
    }

    private Task<int> CountAsync(JobState state) =>
        Farm.Database.ReadAsync(db => Task.FromResult(db.Jobs.Count(job => job.State == state)), Stop);

    private Task<int> ToldAsync(VideoEvent type) =>
        Farm.Database.ReadAsync(db => Task.FromResult(db.Events.Count(told => told.Type == type)), Stop);
}
