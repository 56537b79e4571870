using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Stores;

/// <summary>A database that is there and can't do it just now: no request hangs, no loop ends, and both come back by themselves.</summary>
public sealed class StoreOutageTests : IAsyncLifetime
{
    /// <summary>What is promised, and the way there and back on a busy machine.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private PostgresDatabase? _database;

    private PostgresDatabase Database => _database!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("RENDERFARM_TEST_POSTGRES") is null, "run ./farm test");
        _database = await PostgresDatabase.CreateAsync();
    }

    public ValueTask DisposeAsync() => _database?.DisposeAsync() ?? default;

    /// <summary>A primary that was demoted, or a database whose disk is full: SQLSTATE 25006.</summary>
    [Fact]
    public async Task Database_SetReadOnly_ReadsGoOnWritesAre503AndAllIsWellAfterwards()
    {
        await using var farm = await StartAsync();
        await farm.SubmitAsync();
        await SetAsync("default_transaction_read_only = on");
        // Something that a loop has to write, put there past the setting
        await ExecuteAsync(
            "INSERT INTO events (job_id, key_id, model, type, state, occurred_at) "
                + "SELECT id, key_id, model, 'video.queued', state, now() FROM jobs LIMIT 1"
        );

        await RefusedAsync(() => farm.User.PostAsJsonAsync("/v1/videos", new { prompt = "a ball" }));
        Assert.Equal(200, (int)(await farm.User.GetAsync("/v1/videos")).StatusCode);
        // Its first failure may be that its connection was ended, as all were
        var ready = await ReadyAsync(
            farm,
            now => ((string?)Feed(now)?["reason"])?.Contains("25006", StringComparison.Ordinal) is true
        );
        Assert.Equal("degraded", (string)ready["status"]!);
        var loop = Feed(ready)!;
        Assert.NotNull((DateTimeOffset?)loop["since"]);
        Assert.Contains(
            "renderfarm_loop_degraded{otel_scope_name=\"RenderFarm.Api\",loop=\"event_feed\"} 1",
            await farm.User.GetStringAsync("/metrics"),
            StringComparison.Ordinal
        );

        await SetAsync("default_transaction_read_only = off");
        await ReadyAsync(farm, now => (string)now["status"]! == "healthy");
        await farm.SubmitAsync();
        AssertLives(farm);
    }

    /// <summary>A limit that a DBA has set, and a table that somebody holds: SQLSTATE 57014.</summary>
    [Fact]
    public async Task Table_LockedUnderAStatementTimeout_RequestsAre503AndAllIsWellAfterwards()
    {
        await using var farm = await StartAsync();
        await SetAsync("statement_timeout = '300ms'");
        await using (var holder = new NpgsqlConnection(Database.ConnectionString))
        {
            await holder.OpenAsync();
            await using var transaction = await holder.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE", holder, transaction);
            await hold.ExecuteNonQueryAsync();

            await RefusedAsync(() => farm.User.GetAsync("/v1/videos"));
            await RefusedAsync(() => farm.User.PostAsJsonAsync("/v1/videos", new { prompt = "a ball" }));
            await ReadyAsync(farm, now => Loops(now).Contains("lease_reaper"));
        }

        await ReadyAsync(farm, now => (string)now["status"]! == "healthy");
        await farm.SubmitAsync();
        AssertLives(farm);
    }

    /// <summary>Connections stay open and carry nothing, and new ones are taken: whoever waits for one of the pool is told too.</summary>
    [Fact]
    public async Task Database_FrozenWithAFullPool_EveryRequestIs503InTime()
    {
        var address = new NpgsqlConnectionStringBuilder(Database.ConnectionString);
        using var wire = new CuttableProxy(address.Host!, address.Port);
        (address.Port, address.MaxPoolSize) = (wire.Port, 8);
        await using var farm = await StartAsync(address.ConnectionString);
        await farm.RegisterWorkerAsync("w2", ModelShapes.Tiny with { Id = "unasked" });
        await farm.SubmitAsync();

        wire.Stall();
        // A model whose line nobody has looked at yet: all of them look, one after the other
        await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(i => RefusedAsync(() => i % 2 == 0 ? farm.User.GetAsync("/v1/videos") : SubmitAsync(farm, "unasked")))
        );
        Assert.Equal(503, (int)(await farm.User.GetAsync("/health/ready")).StatusCode);
        await RefusedAsync(() => farm.User.GetAsync("/v1/videos"));

        wire.Restore();
        await ReadyAsync(farm, now => (string)now["status"]! == "healthy");
        await farm.SubmitAsync();
        AssertLives(farm);
    }

    /// <summary>Root may read every folder; one whose path is too long for the system can't be read by root either.</summary>
    [Fact]
    public async Task Artifacts_FolderThatCantBeRead_DegradesTheJanitorAlone()
    {
        using var home = new TemporaryFolder();
        var artifacts = Path.Combine(home.Path, "artifacts");
        var videos = Directory.CreateDirectory(Path.Combine(artifacts, "videos")).FullName;
        await ShellAsync(videos, "d=$(printf 'x%.0s' $(seq 200)); mkdir deep; cd deep; for i in $(seq 30); do mkdir $d; cd $d; done");
        await using var farm = await TestFarm.StartAsync($"--Artifacts:Directory={artifacts}");
        await farm.RegisterWorkerAsync();

        var ready = await ReadyAsync(farm, now => Loops(now).Contains("artifact_janitor"));
        Assert.Equal("degraded", (string)ready["status"]!);
        Assert.DoesNotContain(home.Path, ready.ToJsonString(), StringComparison.Ordinal);
        await farm.SubmitAsync();

        await ShellAsync(videos, "rm -rf deep");
        await ReadyAsync(farm, now => (string)now["status"]! == "healthy");
        AssertLives(farm);
    }

    private static async Task ShellAsync(string folder, string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/bash", ["-ec", command]) { WorkingDirectory = folder })!;
        await shell.WaitForExitAsync();
        Assert.Equal(0, shell.ExitCode);
    }

    private async Task<TestFarm> StartAsync(string? connectionString = null)
    {
        connectionString ??= Database.ConnectionString;
        var farm = await TestFarm.StartAsync("--Store:Kind=postgres", $"--Store:ConnectionString={connectionString}");
        await farm.RegisterWorkerAsync();
        return farm;
    }

    private static Task<HttpResponseMessage> SubmitAsync(TestFarm farm, string? model = null) =>
        farm.User.PostAsJsonAsync("/v1/videos", new { prompt = "a ball", model });

    /// <summary>For every session to come; those that are there are ended, as by a failover.</summary>
    private async Task SetAsync(string setting)
    {
        await ExecuteAsync($"ALTER DATABASE \"{Database.Name}\" SET {setting}");
        await ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        );
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(Database.ConnectionString)
            {
                Options = "-c default_transaction_read_only=off",
            }.ConnectionString
        );
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task RefusedAsync(Func<Task<HttpResponseMessage>> send)
    {
        var clock = Stopwatch.StartNew();
        var reply = await send();
        var took = clock.Elapsed;
        Assert.Equal("2", Assert.Single(reply.Headers.GetValues("Retry-After")));
        Assert.Equal((503, "unavailable"), await reply.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        Assert.True(took < Longest, $"took {took.TotalSeconds:0.00} s");
    }

    private static Task<JsonNode> ReadyAsync(TestFarm farm, Func<JsonNode, bool> isSo) =>
        Eventually.ValueAsync(
            async () => await (await farm.User.GetAsync("/health/ready")).JsonAsync(),
            isSo,
            Soon,
            "readiness to say so",
            TestContext.Current.CancellationToken
        );

    private static JsonNode? Feed(JsonNode ready) =>
        ready["degraded"]!.AsArray().SingleOrDefault(one => (string)one!["loop"]! == "event_feed");

    private static IEnumerable<string> Loops(JsonNode ready) => ready["degraded"]!.AsArray().Select(one => (string)one!["loop"]!);

    private static void AssertLives(TestFarm farm) =>
        Assert.False(farm.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
}
