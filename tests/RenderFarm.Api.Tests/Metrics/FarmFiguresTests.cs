using System.Net.Http.Json;
using RenderFarm.Api.Tests.Webhooks;
using RenderFarm.Contracts.Leases;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Metrics;

/// <summary>What a farm with something to tell shows to a scraper.</summary>
public sealed class FarmFiguresTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Queue_WithWorkAndASlot_ShowsDepthAgeWorkAndWhoWouldTakeIt()
    {
        await using var farm = await TestFarm.StartAsync();
        await farm.RegisterWorkerAsync();
        await farm.SubmitAsync();
        await farm.SubmitAsync();

        string[] queue = ["model=tiny", "vram_class=cpu", "key_class=default"];
        var seen = await SeenAsync(farm, scrape => scrape.Of("renderfarm_queue_depth", queue) == 2);
        Assert.True(seen.Of("renderfarm_queue_work_seconds", queue) > 0);
        Assert.True(seen.Of("renderfarm_queue_oldest_age_seconds", queue) >= 0);
        Assert.Equal(1, seen.Of("renderfarm_queue_slots", "model=tiny", "vram_class=cpu"));
        Assert.Equal((0, 0), (seen.Of("renderfarm_queue_held", queue), seen.Of("renderfarm_queue_paused", "model=all")));
    }

    /// <summary>What a pause holds back waits for no card: nobody is woken because it waits long, or has no worker.</summary>
    [Fact]
    public async Task Queue_Paused_IsHeldAndNoPartOfWhatWaits()
    {
        await using var farm = await TestFarm.StartAsync();
        await farm.RegisterWorkerAsync();
        await farm.SubmitAsync();
        (await farm.User.PostAsJsonAsync("/v1/queue/pause", new { model = "tiny" })).EnsureSuccessStatusCode();

        string[] queue = ["model=tiny", "vram_class=cpu", "key_class=default"];
        var seen = await SeenAsync(farm, scrape => scrape.Of("renderfarm_queue_held", queue) == 1);
        Assert.Equal(1, seen.Of("renderfarm_jobs", "state=queued"));
        Assert.Equal((1, 0), (seen.Of("renderfarm_queue_paused", "model=tiny"), seen.Of("renderfarm_queue_paused", "model=all")));
        Assert.All(
            new[] { "depth", "oldest_age_seconds", "work_seconds", "slots" },
            figure => Assert.Null(seen.Of($"renderfarm_queue_{figure}", "model=tiny"))
        );
    }

    /// <summary>A worker that says good-bye is not one that fell silent.</summary>
    [Fact]
    public async Task Worker_ThatSaysGoodbye_IsStoppedAndNotGone()
    {
        await using var farm = await TestFarm.StartAsync();
        var worker = await farm.RegisterWorkerAsync();
        var said = new GoodbyeRequest(worker, SimulatedWorker.Instance);
        using var other = await farm.NewTenantAsync("worker");
        Assert.Equal(403, (int)(await other.PostContractAsync("/worker/v1/goodbye", said)).StatusCode);
        await SeenAsync(farm, scrape => scrape.Of("renderfarm_slots", "worker=w1", "state=ready") == 1);

        var reply = await (await farm.Worker.PostContractAsync("/worker/v1/goodbye", said)).ContractAsync<GoodbyeReply>();

        Assert.True(reply.Noted);
        var seen = await SeenAsync(farm, scrape => scrape.Of("renderfarm_slots", "worker=w1", "state=stopped") == 1);
        Assert.Equal(0, seen.Of("renderfarm_slots", "worker=w1", "state=gone"));
        Assert.Equal((1, 0), (seen.Of("renderfarm_workers", "state=stopped"), seen.Of("renderfarm_workers", "state=gone")));
    }

    [Fact]
    public async Task Queue_OfAKeyWithAClass_IsToldByTheClass()
    {
        await using var farm = await TestFarm.StartAsync();
        var worker = await farm.RegisterWorkerAsync();
        var made = await farm.User.PostAsJsonAsync("/v1/keys", new { name = "studio", @class = "batch", scopes = new[] { "submit" } });
        using var tenant = farm.ClientWith((string)(await made.JsonAsync())["key"]!);
        await farm.SubmitAsync(by: tenant);

        string[] queue = ["model=tiny", "vram_class=cpu", "key_class=batch"];
        await SeenAsync(farm, scrape => scrape.Of("renderfarm_queue_depth", queue) == 1);
        Assert.NotNull(await farm.LeaseAsync(worker));
        var seen = await SeenAsync(farm, scrape => scrape.Of("renderfarm_lease_wait_seconds_count", queue) == 1);
        Assert.Equal(1, seen.Of("renderfarm_submissions_total", "key_class=batch", "result=created"));
    }

    [Fact]
    public async Task Standing_OfAHealthyFarm_IsShownWithoutASample()
    {
        await using var farm = await TestFarm.StartAsync();
        await farm.RegisterWorkerAsync();

        var seen = await SeenAsync(farm, scrape => scrape.Of("renderfarm_workers", "state=live") == 1);
        Assert.Equal(1, seen.Of("renderfarm_slots", "worker=w1", "state=ready"));
        Assert.Equal(0, seen.Of("renderfarm_slots", "worker=w1", "state=quarantined"));
        Assert.Equal(1, seen.Of("renderfarm_artifacts_up"));
        Assert.Equal(0, seen.Of("renderfarm_outbox_lag_seconds", "reader=log"));
        Assert.Equal((0, 0), (seen.Of("renderfarm_webhook_pending"), seen.Of("renderfarm_webhook_oldest_age_seconds")));
        // No broker, no certificate: no figure that could be taken for one
        Assert.Null(seen.Of("renderfarm_broker_up"));
        Assert.Null(seen.Of("renderfarm_outbox_pending", "reader=broker"));
        Assert.Null(seen.Of("renderfarm_certificate_remaining_seconds"));
    }

    [Fact]
    public async Task Lease_OfAJobWithAPromisedStart_TellsWhetherItWasKept()
    {
        await using var farm = await TestFarm.StartAsync();
        var worker = await farm.RegisterWorkerAsync();
        await farm.SubmitAsync();
        await farm.LeaseAsync(worker);
        (await farm.User.PostAsync($"/v1/workers/{worker}/drain", null)).EnsureSuccessStatusCode();
        await farm.SubmitAsync();
        (await farm.User.PostAsync($"/v1/workers/{worker}/resume", null)).EnsureSuccessStatusCode();
        Assert.NotNull(await farm.LeaseAsync(worker));

        var scrape = await Scrape.OfAsync(farm);
        Assert.Equal(1, scrape.Of("renderfarm_lease_promises_total", "model=tiny", "vram_class=cpu", "result=kept"));
        Assert.Equal(1, scrape.Of("renderfarm_lease_promises_total", "model=tiny", "vram_class=cpu", "result=unserved"));
        Assert.Equal(2, scrape.Of("renderfarm_lease_wait_seconds_count", "model=tiny", "vram_class=cpu", "key_class=default"));
    }

    /// <summary>The promise stands with the job: whichever API is asked for work counts what came of it, and no other.</summary>
    [Fact]
    public async Task Lease_ByAnotherApiThanPromisedIt_IsCountedThere()
    {
        await using var database = await PostgresDatabase.CreateAsync();
        string[] store = ["--Store:Kind=postgres", $"--Store:ConnectionString={database.ConnectionString}"];
        await using var first = await TestFarm.StartAsync(store);
        await using var second = await TestFarm.StartAsync([.. store, $"--Keys:BootstrapFile={first.KeysFile}"]);
        var worker = await first.RegisterWorkerAsync();
        await first.SubmitAsync();

        Assert.NotNull(await second.LeaseAsync(worker));

        string[] kept = ["model=tiny", "vram_class=cpu", "key_class=default", "result=kept"];
        Assert.Equal(1, (await Scrape.OfAsync(second)).Of("renderfarm_lease_promises_total", kept));
        Assert.Null((await Scrape.OfAsync(first)).Of("renderfarm_lease_promises_total"));
    }

    [Fact]
    public async Task Endings_OfEachKind_AreComparedCountedAndTriedAgain()
    {
        await using var farm = await TestFarm.StartAsync();
        var worker = await farm.RegisterWorkerAsync();
        await farm.SubmitAsync();
        var lease = (await farm.LeaseAsync(worker))!;
        await farm.RenewAsync(lease);
        (await farm.CompleteAsync(lease, await farm.UploadAsync(lease, [1]))).EnsureSuccessStatusCode();
        Assert.Equal(409, (int)(await farm.RenewAsync(lease)).StatusCode);
        await farm.SubmitAsync();
        var second = (await farm.LeaseAsync(worker))!;
        var failed = new FailRequest { Fence = second.Fence, Token = second.Token, Reason = FailureReason.Transient, Message = "m" };
        (await farm.Worker.PostContractAsync($"/worker/v1/leases/{second.JobId}/fail", failed)).EnsureSuccessStatusCode();

        var scrape = await Scrape.OfAsync(farm);
        Assert.Equal(0.5, scrape.Of("renderfarm_prediction_peak_ratio_sum", "model=tiny", "card=cpu"));
        Assert.Equal(1, scrape.Of("renderfarm_reports_superseded_total", "report=renew"));
        Assert.Equal(1, scrape.Of("renderfarm_reports_superseded_total"));
        Assert.Equal(1, scrape.Of("renderfarm_retries_total", "model=tiny", "reason=transient"));
        Assert.Equal(1, scrape.Of("renderfarm_lease_endings_total", "model=tiny", "ending=failed", "reason=transient"));
    }

    [Fact]
    public async Task Webhooks_RefusedThenTaken_AreCountedByResult()
    {
        await using var farm = await TestFarm.StartAsync("--Outbound:AllowedNetworks:0=127.0.0.0/8");
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = number => number == 1 ? (500, null) : (204, null);
        await farm.RegisterWorkerAsync();
        await farm.SubmitAsync(new { prompt = "a ball", webhook_url = receiver.Address });

        var seen = await SeenAsync(
            farm,
            scrape => scrape.Of("renderfarm_webhook_tries_total", "type=video.queued", "result=delivered") == 1
        );
        Assert.Equal(1, seen.Of("renderfarm_webhook_tries_total", "type=video.queued", "result=refused"));
        Assert.Equal(1, seen.Of("renderfarm_webhook_duration_seconds_count", "result=refused"));
    }

    private static Task<Scrape> SeenAsync(TestFarm farm, Predicate<Scrape> accept) =>
        Eventually.ValueAsync(() => Scrape.OfAsync(farm), accept.Invoke, Patience, "the figures");
}
