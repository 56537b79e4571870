using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Intake;

public sealed class TogetherOnSqlite() : TogetherFacts(new SqliteStore());

public sealed class TogetherOnPostgres() : TogetherFacts(new PostgresStore());

/// <summary>Submissions that share a transaction: each gets its own answer.</summary>
public abstract class TogetherFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task Submit_ManyAtOnce_AreAllTakenInOrderWithOneEventEach()
    {
        var jobs = Enumerable.Range(0, 250).Select(_ => Farm.NewJob()).ToList();
        var results = await Task.WhenAll(jobs.Select(job => Farm.Jobs.SubmitAsync(job, Stop)));

        Assert.Equal(jobs.Select(job => job.Id), results.Select(result => Assert.IsType<SubmitResult.Created>(result).Job.Id));
        Assert.Equal(250, results.Select(result => result.Job.OrderKey).Distinct().Count());
        Assert.Equal(["video.queued"], await Farm.EventTypesAsync(jobs[249].Id));
    }

    [Fact]
    public async Task Submit_RepeatsAmongManyAtOnce_AreTheSameJobs()
    {
        var marked = Enumerable
            .Range(0, 60)
            .Select(i => Farm.NewJob() with { IdempotencyKey = $"shot-{i % 20}", RequestHash = $"hash-{i % 20}" });
        var retried = Enumerable
            .Range(0, 40)
            .Select(i => Farm.NewJob() with { RequestHash = $"retry-{i / 2}", IsClientRetry = i % 2 == 1 });
        var results = await Task.WhenAll(marked.Concat(retried).Select(job => Farm.Jobs.SubmitAsync(job, Stop)));

        Assert.Equal(40, results.Select(result => result.Job.Id).Distinct().Count());
        Assert.Equal(40, results.Count(result => result is SubmitResult.Created));
    }

    [Fact]
    public async Task Submit_MoreThanTheQuotaAtOnce_TakesExactlyAsManyAsThereIsRoomFor()
    {
        var terms = new KeyTerms { Limits = new KeyLimits { Queued = 7 } };
        var key = (await Farm.Keys.CreateAsync("small", KeyScopes.Submit, 100, terms, Stop)).Key.Id;
        var tries = Enumerable
            .Range(0, 30)
            .Select(async _ =>
            {
                try
                {
                    return (await Farm.Jobs.SubmitAsync(Farm.NewJob() with { KeyId = key }, Stop)) is SubmitResult.Created;
                }
                catch (QuotaExceededException)
                {
                    return false;
                }
            });
        Assert.Equal(7, (await Task.WhenAll(tries)).Count(taken => taken));
    }
}
