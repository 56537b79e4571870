using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using RenderFarm.Chaos.Farm;
using RenderFarm.Contracts.Json;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Chaos.Tests.Farm;

/// <summary>An API process of its own on servers of its own, which stand still without a word.</summary>
public sealed class FrozenServersTests : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_PostgresStopped_Are503InTimeUntilItGoesOn()
    {
        Assert.NotEmpty(TestServices.Postgres); // Skips where ./farm test is not at work
        await using var servers = await Servers.StartAsync(_folder.File("servers"), [Servers.PostgresName], Stop);
        await using var farm = await StartAsync(servers.Postgres, null);
        await SubmitAsync(farm);

        var frozen = await servers.FreezeAsync(Servers.PostgresName, Stop);
        try
        {
            Assert.True(frozen > 5, $"{frozen} processes stand still");
            // More than the pool has connections
            var took = await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => RefusedAsync(farm)));
            Assert.True(took.Max() < Longest, $"the slowest of {took.Length} took {took.Max().TotalSeconds:0.00} s");
            var later = await RefusedAsync(farm);
            Assert.True(later < Longest, $"one more took {later.TotalSeconds:0.00} s");
        }
        finally
        {
            await servers.ThawAsync(Servers.PostgresName, CancellationToken.None);
        }

        await WellAsync(farm);
        await SubmitAsync(farm);
        Assert.False(farm.Api.HasExited);
    }

    [Fact]
    public async Task Stop_BrokerWithoutMemory_EndsInTimeAndNoTransactionWasOpenMeanwhile()
    {
        Assert.NotEmpty(TestServices.Postgres);
        await using var servers = await Servers.StartAsync(_folder.File("servers"), [Servers.PostgresName, Servers.BrokerName], Stop);
        await using var farm = await StartAsync(servers.Postgres, servers.Broker);
        await WellAsync(farm);
        await using var source = NpgsqlDataSource.Create(servers.Postgres);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var alarm = servers.AlarmBrokerAsync(Timeout.InfiniteTimeSpan, over.Token);
        await Eventually.TrueAsync(
            async () =>
            {
                // As long as it is taken at once, the alarm is not there yet
                await SubmitAsync(farm);
                return (await ReadyAsync(farm))["degraded"]!.AsArray().Any(loop => (string)loop!["loop"]! == "event_publisher");
            },
            Soon,
            "the publisher to find out",
            Stop
        );

        var longest = await LongestTransactionAsync(source);
        for (var i = 0; i < 20; i++)
        {
            await SubmitAsync(farm);
            longest = Math.Max(longest, await LongestTransactionAsync(source));
        }

        var clock = Stopwatch.StartNew();
        Assert.Equal(0, await farm.Api.StopAsync());
        Assert.True(clock.Elapsed < LongestStop, $"took {clock.Elapsed.TotalSeconds:0.0} s to stop");
        Assert.True(longest < 2, $"a transaction was idle for {longest:0.0} s");
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => alarm);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<double> LongestTransactionAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand(
            "SELECT COALESCE(MAX(EXTRACT(EPOCH FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity "
                + "WHERE state LIKE 'idle in transaction%'"
        );
        return (double)(await command.ExecuteScalarAsync(Stop))!;
    }

    private static async Task<TimeSpan> RefusedAsync(FarmUnderTest farm)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await farm.Http.GetAsync(new Uri("/v1/videos", UriKind.Relative), Stop);
        var took = clock.Elapsed;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("2", Assert.Single(answer.Headers.GetValues("Retry-After")));
        return took;
    }

    private static Task WellAsync(FarmUnderTest farm) =>
        Eventually.ValueAsync(
            async () => (await ReadyAsync(farm)).ToJsonString(),
            ready => ready.StartsWith("{\"status\":\"healthy\"", StringComparison.Ordinal),
            Soon,
            "the API to be well",
            Stop
        );

    private static async Task<JsonNode> ReadyAsync(FarmUnderTest farm)
    {
        using var answer = await farm.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), Stop);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Stop))!;
    }

    private static Task SubmitAsync(FarmUnderTest farm) => farm.SubmitAsync(new { prompt = "a ball", model = "tiny" });

    /// <summary>With a model that a worker has registered and gone with.</summary>
    private static async Task<FarmUnderTest> StartAsync(string postgres, Uri? broker)
    {
        var farm = await FarmUnderTest.StartAsync(new FarmSetup { Postgres = postgres, Broker = broker }, workers: 0);
        var keys = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(farm.Home, "keys.json"), Stop)).RootElement;
        var request = SimulatedWorker.Registration("gone", ModelShapes.Tiny);
        using var message = new HttpRequestMessage(HttpMethod.Post, "/worker/v1/register")
        {
            Content = new StringContent(
                JsonSerializer.Serialize(request, ContractsJson.Default.RegisterWorkerRequest),
                Encoding.UTF8,
                "application/json"
            ),
        };
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", keys.GetProperty("worker_key").GetString());
        using var answer = await farm.Http.SendAsync(message, Stop);
        answer.EnsureSuccessStatusCode();
        return farm;
    }
}
