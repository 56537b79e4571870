using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Jobs.Tests.Webhooks;

public sealed class DeliveriesOnSqlite() : DeliveryFacts(new SqliteStore());

public sealed class DeliveriesOnPostgres() : DeliveryFacts(new PostgresStore());

public abstract class DeliveryFacts(StoreUnderTest store) : FarmFacts(store)
{
    private DeliveryStore Deliveries => new(Farm.Database, Farm.Time);
    private DeliveryLane Lane => new(Farm.Key, "example.org");

    [Fact]
    public async Task TakeDue_ByTwoAtOnce_GivesEachDeliveryToOne()
    {
        for (var i = 0; i < 10; i++)
        {
            await Farm.SubmitAsync(Farm.NewJob() with { WebhookUrl = "https://example.org/hook" });
        }

        await Farm.SubmitAsync();
        await Farm.Events.PlaceAsync(Stop);

        var taken = await Task.WhenAll(
            Enumerable.Range(0, 2).Select(_ => Task.Run(() => Deliveries.TakeDueAsync([(Lane, 10)], Stop), Stop))
        );
        Assert.Equal(10, taken.SelectMany(due => due).Select(due => due.Delivery.EventId).Distinct().Count());
        Assert.Equal(10, taken.Sum(due => due.Count));

        // Whoever took them has died: they come again
        Assert.Empty(await Deliveries.TakeDueAsync([(Lane, 10)], Stop));
        Farm.Time.Advance(DeliveryStore.Hold);
        Assert.Equal(10, (await Deliveries.TakeDueAsync([(Lane, 10)], Stop)).Count);
    }

    [Fact]
    public async Task DueLanes_ManyOfOneKey_ListsEveryKeyAndHostOnce()
    {
        var other = await Farm.NewKeyAsync("other");
        string[] urls = ["https://one.example/a", "http://user.example:8080?x", "https://ONE.example#y", "https://one.example"];
        foreach (var url in urls)
        {
            await Farm.SubmitAsync(Farm.NewJob() with { WebhookUrl = url });
            Farm.Time.Advance(TimeSpan.FromSeconds(1));
        }

        await Farm.SubmitAsync(Farm.NewJob() with { KeyId = other, WebhookUrl = "https://one.example/b" });
        await Farm.Events.PlaceAsync(Stop);

        DeliveryLane[] lanes = [new(Farm.Key, "one.example"), new(Farm.Key, "user.example:8080"), new(other, "one.example")];
        Assert.Equal(lanes.ToHashSet(), (await Deliveries.DueLanesAsync(Stop)).ToHashSet());
        var taken = await Deliveries.TakeDueAsync([(lanes[0], 2), (lanes[2], 2)], Stop);
        Assert.Equal([(lanes[0], 2), (lanes[2], 1)], taken.CountBy(due => due.Delivery.Lane).Select(one => (one.Key, one.Value)));
    }

    [Fact]
    public async Task GiveUp_HostWasSilentForADay_EndsTheOldOnesOfThatLaneOnly()
    {
        var old = await Farm.SubmitAsync(Farm.NewJob() with { WebhookUrl = "https://example.org/hook" });
        var elsewhere = await Farm.SubmitAsync(Farm.NewJob() with { WebhookUrl = "https://example.com/hook" });
        Farm.Time.Advance(TimeSpan.FromDays(1));
        var young = await Farm.SubmitAsync(Farm.NewJob() with { WebhookUrl = "https://example.org/hook" });
        await Farm.Events.PlaceAsync(Stop);
        var now = Farm.Time.GetUtcNow();

        var last = new DeliveryTry(now, 15, null, "did not answer");
        var given = await Deliveries.GiveUpAsync(Lane, now - TimeSpan.FromHours(23), last, Stop);

        Assert.Equal(1, given);
        var ended = Assert.Single(await Deliveries.OfJobAsync(old.Id, Stop));
        Assert.Equal((DeliveryState.Failed, "did not answer"), (ended.State, Assert.Single(ended.Log).Error));
        Assert.Equal(DeliveryState.Pending, Assert.Single(await Deliveries.OfJobAsync(elsewhere.Id, Stop)).State);
        Assert.Equal(DeliveryState.Pending, Assert.Single(await Deliveries.OfJobAsync(young.Id, Stop)).State);
    }

    [Fact]
    public async Task Record_FailedThenDelivered_KeepsBothTries()
    {
        var job = await Farm.SubmitAsync(Farm.NewJob() with { WebhookUrl = "https://example.org/hook" });
        await Farm.Events.PlaceAsync(Stop);
        var due = Assert.Single(await Deliveries.TakeDueAsync([(Lane, 10)], Stop)).Delivery;
        await Deliveries.RecordAsync(due, new DeliveryTry(Farm.Time.GetUtcNow(), 0.1, 500, "answered 500"), TimeSpan.FromSeconds(5), Stop);
        Assert.Empty(await Deliveries.TakeDueAsync([(Lane, 10)], Stop));
        Farm.Time.Advance(TimeSpan.FromSeconds(5));
        due = Assert.Single(await Deliveries.TakeDueAsync([(Lane, 10)], Stop)).Delivery;
        await Deliveries.RecordAsync(due, new DeliveryTry(Farm.Time.GetUtcNow(), 0.1, 200, null), null, Stop);

        var log = Assert.Single(await Deliveries.OfJobAsync(job.Id, Stop));
        Assert.Equal((DeliveryState.Delivered, 2, null), (log.State, log.Tries, log.NextTryAt));
        Assert.Equal([500, 200], log.Log.Select(made => made.Status!.Value));
    }

    [Fact]
    public async Task Secrets_OfAKey_StayUntilTheyAreReplaced()
    {
        var secrets = new WebhookSecrets(Farm.Database);
        var first = await secrets.OfAsync(Farm.Key, Stop);
        Assert.Equal(first, await secrets.OfAsync(Farm.Key, Stop));
        var second = await secrets.ReplaceAsync(Farm.Key, Stop);
        Assert.NotEqual(first, second);
        Assert.Equal(second, await secrets.OfAsync(Farm.Key, Stop));
        await Farm.Keys.RevokeAsync(Farm.Key, Stop);
        Assert.Null(await secrets.OfAsync(Farm.Key, Stop));
    }
}
