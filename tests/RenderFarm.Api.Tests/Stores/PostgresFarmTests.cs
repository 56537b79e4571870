using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Stores;

/// <summary>The same API on PostgreSQL: what goes through SQL in each request goes through that SQL too.</summary>
public sealed class PostgresFarmTests : IAsyncLifetime
{
    private PostgresDatabase? _database;
    private TestFarm? _farm;

    private TestFarm Farm => _farm!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("RENDERFARM_TEST_POSTGRES") is null, "run ./farm test");
        _database = await PostgresDatabase.CreateAsync();
        _farm = await TestFarm.StartAsync("--Store:Kind=postgres", $"--Store:ConnectionString={_database.ConnectionString}");
    }

    public async ValueTask DisposeAsync()
    {
        await (_farm?.DisposeAsync() ?? default);
        await (_database?.DisposeAsync() ?? default);
    }

    [Fact]
    public async Task Video_FromSubmitToDownload_GoesThrough()
    {
        var id = await Farm.FinishVideoAsync([1, 2, 3]);

        Assert.Equal([1, 2, 3], await Farm.User.GetByteArrayAsync($"/v1/videos/{id}/content"));
        Assert.Equal("completed", (string)(await (await Farm.User.GetAsync($"/v1/videos/{id}")).JsonAsync())["status"]!);
    }

    [Fact]
    public async Task Lease_WhileWaiting_IsAnsweredWhenAVideoComes()
    {
        var worker = await Farm.RegisterWorkerAsync();
        var waiting = Farm.LeaseAsync(worker, waitSeconds: 30);
        await Farm.WaitForPollAsync();

        var id = (string)(await Farm.SubmitAsync())["id"]!;

        Assert.Equal(id, (await waiting)!.JobId);
    }

    [Fact]
    public async Task Create_SixteenAtOnceWithOneKey_MakeOneVideo()
    {
        await Farm.RegisterWorkerAsync();
        var key = Guid.NewGuid().ToString();

        var ids = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(async _ =>
                {
                    var request = new HttpRequestMessage(HttpMethod.Post, "/v1/videos")
                    {
                        Content = System.Net.Http.Json.JsonContent.Create(new { prompt = "a race" }),
                        Headers = { { "Idempotency-Key", key } },
                    };
                    return (string)(await (await Farm.User.SendAsync(request)).JsonAsync())["id"]!;
                })
        );

        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task Requests_WhileTheStoreIsAway_Are503WithRetryAfter_AndWorkAgainAfterwards()
    {
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(_database!.ConnectionString);
        using var wire = new CuttableProxy(settings.Host!, settings.Port);
        (settings.Host, settings.Port, settings.Timeout) = ("127.0.0.1", wire.Port, 3);
        await using var cut = await TestFarm.StartAsync("--Store:Kind=postgres", $"--Store:ConnectionString={settings.ConnectionString}");
        await cut.RegisterWorkerAsync();
        await cut.SubmitAsync();

        wire.Cut();
        var reply = await cut.User.GetAsync("/v1/videos");
        Assert.Equal("2", reply.Headers.GetValues("Retry-After").Single());
        Assert.Equal((503, "unavailable"), await reply.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        Assert.Equal(503, (int)(await cut.User.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(200, (int)(await cut.User.GetAsync("/health/live")).StatusCode);

        wire.Restore();
        await Eventually.TrueAsync(
            async () => (await cut.User.GetAsync("/v1/videos")).IsSuccessStatusCode,
            TimeSpan.FromSeconds(20),
            "the API works again"
        );
    }
}
