using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Testing;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// One key's webhooks while 10,000 of another key's are due at a socket that never answers: from the moment the video is asked for to the
/// moment its receiver has read the call.
/// </summary>
internal static class WebhookPart
{
    private const int Dead = 10_000;
    private const int Videos = 300;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(50);

    public static async Task<Findings> MeasureAsync(ApiOptions options)
    {
        await using var api = await ApiFarm.StartAsync(
            more: new Dictionary<string, string> { ["Outbound__AllowedNetworks__0"] = "127.0.0.0/8" }
        );
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(1_000); // The kernel makes the connections; nobody reads from them
        await using var receiver = await Receiver.StartAsync();
        await SubmitDeadAsync(api, new Uri($"http://{silent.LocalEndpoint}/"));
        using var connected = await silent.AcceptTcpClientAsync();

        using var other = new HttpClient { BaseAddress = api.Http.BaseAddress };
        other.DefaultRequestHeaders.Authorization = await api.NewKeyAsync("other");
        var (clock, asked) = (Stopwatch.StartNew(), new Dictionary<string, TimeSpan>());
        for (var i = 0; i < Videos; i++)
        {
            var at = clock.Elapsed;
            asked[await SubmitAsync(other, i, receiver.Address)] = at;
            await Task.Delay(Spacing, CancellationToken.None);
        }

        await Eventually.TrueAsync(() => Task.FromResult(receiver.Heard.Count >= Videos), Patience, $"{Videos} calls");
        var later = receiver.Since(clock);
        var latencies = new Distribution([.. asked.Select(one => (receiver.Heard[one.Key] - later - one.Value).TotalMilliseconds)]);
        var waiting = await WaitingAsync(api);
        return new Findings(
            [
                Figure.Most($"webhook beside {Dead} of another key to a dead socket, p99", latencies.P99 ?? 0, "ms", 1_000),
                Figure.Least("deliveries still due at the dead socket", waiting, "deliveries", Dead - 1_000),
            ],
            new JsonObject
            {
                ["videos"] = Videos,
                ["p50_ms"] = Math.Round(latencies.P50 ?? 0, 1),
                ["p99_ms"] = Math.Round(latencies.P99 ?? 0, 1),
                ["max_ms"] = Math.Round(latencies.Max ?? 0, 1),
                ["store"] = await api.DurabilityAsync(),
            }
        );
    }

    private static async Task SubmitDeadAsync(ApiFarm api, Uri address)
    {
        var body = new
        {
            @base = new { model = "tiny", webhook_url = address },
            matrix = new { prompt = Enumerable.Range(0, 100).Select(i => $"clip {i}"), seed = Enumerable.Range(0, Dead / 100) },
        };
        using var answer = await api.Http.PostAsJsonAsync("/v1/batches", body);
        answer.EnsureSuccessStatusCode();
        await Eventually.TrueAsync(async () => await WaitingAsync(api) == Dead, Patience, $"{Dead} deliveries to be due");
    }

    private static async Task<string> SubmitAsync(HttpClient client, int number, Uri address)
    {
        using var answer = await client.PostAsJsonAsync(
            "/v1/videos",
            new
            {
                prompt = $"clip {number}",
                model = "tiny",
                webhook_url = address,
            }
        );
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    private static async Task<long> WaitingAsync(ApiFarm api)
    {
        await using var command = api.Source.CreateCommand("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Notes when each video's call was read.</summary>
    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly long _began = Stopwatch.GetTimestamp();

        private Receiver(WebApplication app) => _app = app;

        public ConcurrentDictionary<string, TimeSpan> Heard { get; } = new();
        public Uri Address => new(_app.Urls.First());

        /// <summary>How much later another clock was started.</summary>
        public TimeSpan Since(Stopwatch clock) => Stopwatch.GetElapsedTime(_began) - clock.Elapsed;

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            var app = builder.Build();
            var receiver = new Receiver(app);
            app.Run(async context =>
            {
                var body = await context.Request.ReadFromJsonAsync<JsonElement>();
                receiver.Heard.TryAdd(body.GetProperty("data").GetProperty("id").GetString()!, Stopwatch.GetElapsedTime(receiver._began));
            });
            await app.StartAsync();
            return receiver;
        }

        public async ValueTask DisposeAsync()
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
    }
}
