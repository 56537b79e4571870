using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using RenderFarm.Api.Composition;
using RenderFarm.Api.Hosting;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Hosting;

/// <summary>An API whose database comes later than itself.</summary>
public sealed class StartWithoutStoreTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Serve_TheStoreComesLater_Answers503WithRetryAfterUntilThen()
    {
        await using var database = await PostgresDatabase.CreateAsync(TestContext.Current.CancellationToken);
        await OnAFarmWithoutStoreAsync(
            database,
            async (app, keys, wire) =>
            {
                using var early = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
                foreach (var path in new[] { "/v1/videos", "/worker/v1/leases" })
                {
                    var refused = await early.GetAsync(path);
                    Assert.Equal("2", refused.Headers.GetValues("Retry-After").Single());
                    Assert.Equal((503, "unavailable"), await refused.RefusalAsync() is var r ? (r.Status, r.Code) : default);
                }

                Assert.Equal(HttpStatusCode.OK, (await early.GetAsync("/health/live")).StatusCode);
                await Eventually.TrueAsync(
                    async () =>
                        await early.GetAsync("/health/ready") is { StatusCode: HttpStatusCode.ServiceUnavailable } ready
                        && (await ready.JsonAsync())["checks"]!["store"]!["description"]!
                            .ToString()
                            .Contains("not there yet: Failed to connect", StringComparison.Ordinal),
                    Patience,
                    "health to name what is waited for"
                );

                wire.Restore();
                await Eventually.TrueAsync(
                    async () => (await early.GetAsync("/health/ready")).IsSuccessStatusCode,
                    Patience,
                    "the API to be ready"
                );
                early.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                    "Bearer",
                    (string)JsonNode.Parse(await File.ReadAllTextAsync(keys))!["admin_key"]!
                );
                Assert.Equal(HttpStatusCode.OK, (await early.GetAsync("/v1/videos")).StatusCode);
                await Eventually.TrueAsync(
                    async () => (await early.GetStringAsync("/metrics")).Contains("renderfarm_store_up{", StringComparison.Ordinal),
                    Patience,
                    "the background duties to have begun"
                );
            }
        );
    }

    [Fact]
    public async Task Serve_ToldToStopBeforeTheStoreIsThere_Ends()
    {
        await using var database = await PostgresDatabase.CreateAsync(TestContext.Current.CancellationToken);
        await OnAFarmWithoutStoreAsync(database, (_, _, _) => Task.CompletedTask);
    }

    /// <summary>Serves, does <paramref name="act"/>, and tells it to stop, which it has to do without a fault.</summary>
    private static async Task OnAFarmWithoutStoreAsync(PostgresDatabase database, Func<WebApplication, string, CuttableProxy, Task> act)
    {
        using var home = new TemporaryFolder();
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString);
        using var wire = new CuttableProxy(settings.Host!, settings.Port);
        (settings.Host, settings.Port, settings.Timeout) = ("127.0.0.1", wire.Port, 3);
        wire.Cut();
        var keys = Path.Combine(home.Path, "keys.json");
        await using var app = FarmApi.Build([
            $"--RENDERFARM_HOME={home.Path}",
            $"--Keys:BootstrapFile={keys}",
            "--Api:Url=http://127.0.0.1:0",
            "--Logging:LogLevel:Default=None",
            "--Store:Kind=postgres",
            $"--Store:ConnectionString={settings.ConnectionString}",
        ]);
        var serving = app.ServeAsync();
        try
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(serving.IsCompleted || app.Urls.All(url => !url.EndsWith(":0", StringComparison.Ordinal))),
                Patience,
                "the API to listen"
            );
            await act(app, keys, wire);
        }
        finally
        {
            app.Lifetime.StopApplication();
            await serving.WaitAsync(Patience);
        }
    }
}
