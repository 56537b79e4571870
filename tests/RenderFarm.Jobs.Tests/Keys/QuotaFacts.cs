using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Jobs.Tests.Keys;

public sealed class QuotasOnSqlite() : QuotaFacts(new SqliteStore());

public sealed class QuotasOnPostgres() : QuotaFacts(new PostgresStore());

public abstract class QuotaFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task Submit_PastTheQueuedLimit_IsRefusedUntilOneIsGone()
    {
        var key = await KeyAsync(new KeyLimits { Queued = 2 });
        var first = await SubmitAsync(key);
        await SubmitAsync(key);

        var refused = await Assert.ThrowsAsync<QuotaExceededException>(() => SubmitAsync(key));
        Assert.Equal((Quota.Queued, 2), (refused.Quota, refused.Limit));

        await Farm.Jobs.CancelAsync(first.Id, JobScope.OfKey(key), Stop);
        await SubmitAsync(key);
        await SubmitAsync(Farm.Key);
    }

    [Fact]
    public async Task Submit_ManyAtOnce_TheLimitIsExact()
    {
        var key = await KeyAsync(new KeyLimits { Queued = 3 });

        var made = await Task.WhenAll(
            Enumerable
                .Range(0, 12)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        try
                        {
                            await SubmitAsync(key);
                            return true;
                        }
                        catch (QuotaExceededException)
                        {
                            return false;
                        }
                    })
                )
        );

        Assert.Equal(3, made.Count(took => took));
        Assert.Equal(3, (await Farm.Keys.UsageAsync(Stop))[key].Queued);
    }

    [Fact]
    public async Task Submit_PastTheDailyLimit_FreesAtMidnight_CancelledOnesCounted()
    {
        var key = await KeyAsync(new KeyLimits { PerDay = 1 });
        await Farm.Jobs.CancelAsync((await SubmitAsync(key)).Id, JobScope.OfKey(key), Stop);

        var refused = await Assert.ThrowsAsync<QuotaExceededException>(() => SubmitAsync(key));
        Assert.Equal((Quota.PerDay, Farm.Time.GetUtcNow().UtcDateTime.Date.AddDays(1)), (refused.Quota, refused.Frees!.Value.UtcDateTime));
        Assert.Equal(1, (await Farm.Keys.UsageAsync(Stop))[key].Today);

        Farm.Time.Advance(TimeSpan.FromDays(1));
        await SubmitAsync(key);
    }

    [Fact]
    public async Task Retry_PastTheQueuedLimit_IsRefusedAndTheJobStaysCancelled()
    {
        var key = await KeyAsync(new KeyLimits { Queued = 1 });
        var first = await SubmitAsync(key);
        await Farm.Jobs.CancelAsync(first.Id, JobScope.OfKey(key), Stop);
        var second = await SubmitAsync(key);

        await Assert.ThrowsAsync<QuotaExceededException>(() => Farm.Jobs.RetryAsync(first.Id, JobScope.OfKey(key), Stop));
        Assert.Equal(JobState.Cancelled, (await Farm.Jobs.GetAsync(first.Id, JobScope.All, Stop))!.State);

        await Farm.Jobs.CancelAsync(second.Id, JobScope.OfKey(key), Stop);
        Assert.IsType<RetryResult.Requeued>(await Farm.Jobs.RetryAsync(first.Id, JobScope.OfKey(key), Stop));
    }

    [Fact]
    public async Task Lease_OfAKeyAtItsRunningLimit_GoesToOthersUntilOneEnds()
    {
        var key = await KeyAsync(new KeyLimits { Running = 1 });
        var first = await SubmitAsync(key);
        var second = await SubmitAsync(key);
        var others = await Farm.SubmitAsync();

        LeasedJob[] leases = [await Farm.LeaseAsync(), await Farm.LeaseAsync()];
        Assert.Equal(new[] { first.Id, others.Id }.Order(), leases.Select(lease => lease.Id).Order());
        Assert.Null(await Farm.TryLeaseAsync());

        // An upload holds no slot any more.
        await Farm.RenewAsync(leases.Single(lease => lease.Id == first.Id), RenderStage.Uploading);
        Assert.Equal(second.Id, (await Farm.LeaseAsync()).Id);
    }

    [Fact]
    public async Task Lease_ManySlotsAtOnce_TheRunningLimitIsExact()
    {
        var key = await KeyAsync(new KeyLimits { Running = 2 });
        for (var i = 0; i < 8; i++)
        {
            await SubmitAsync(key);
        }

        var leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Farm.TryLeaseAsync())));

        Assert.Equal(2, leases.Count(lease => lease is not null));
        Assert.Equal(new KeyUsage(6, 2, 8), (await Farm.Keys.UsageAsync(Stop))[key]);
        await Farm.FailAsync(leases.First(lease => lease is not null)!, FailureReason.InvalidRequest);
        Assert.NotNull(await Farm.TryLeaseAsync());
    }

    private async Task<string> KeyAsync(KeyLimits limits) =>
        (await Farm.Keys.CreateAsync("tenant", KeyScopes.Submit | KeyScopes.Read, 100, new KeyTerms { Limits = limits }, Stop)).Key.Id;

    private Task<Job> SubmitAsync(string key) => Farm.SubmitAsync(Farm.NewJob() with { KeyId = key });
}
