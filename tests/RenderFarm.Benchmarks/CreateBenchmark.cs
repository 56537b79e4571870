using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Benchmarks;

/// <summary>
/// <c>POST /v1/videos</c> at a steady rate against a real API process on PostgreSQL. The load is open: requests leave on
/// their schedule whatever the answers do, and latency counts from the scheduled moment, so a stall shows in full.
/// </summary>
internal static class CreateBenchmark
{
    private const int WarmUp = 100;

    public static async Task<int> RunAsync(string[] arguments)
    {
        double rate = Option(arguments, "--rate", 50), seconds = Option(arguments, "--seconds", 30);
        await using var database = await PostgresDatabase.CreateAsync();
        string durability = await DurabilityAsync(database.ConnectionString);
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { Postgres = database.ConnectionString }, workers: 0);
        // the model must be known; nothing is rendered while the clock runs
        var worker = await farm.StartWorkerAsync("worker-1");
        await worker.StopAsync();

        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { BaseAddress = new Uri(farm.Url) };
        http.DefaultRequestHeaders.Authorization = farm.Http.DefaultRequestHeaders.Authorization;
        for (int i = 0; i < WarmUp; i++) await CreateAsync(http, i);

        int count = (int)(rate * seconds), failed = 0;
        var latencies = new double[count];
        var sent = new List<Task>(count);
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < count; i++)
        {
            double due = i / rate;
            if (due > clock.Elapsed.TotalSeconds) await Task.Delay(TimeSpan.FromSeconds(due) - clock.Elapsed, TimeProvider.System);
            int number = i;
            sent.Add(Task.Run(async () =>
            {
                if (!await CreateAsync(http, WarmUp + number)) Interlocked.Increment(ref failed);
                latencies[number] = (clock.Elapsed.TotalSeconds - due) * 1000;
            }));
        }
        await Task.WhenAll(sent);

        Array.Sort(latencies);
        var result = new JsonObject
        {
            ["benchmark"] = "create",
            ["rate_per_second"] = rate,
            ["requests"] = count,
            ["failed"] = failed,
            ["p50_ms"] = Round(latencies[count / 2]),
            ["p90_ms"] = Round(latencies[count * 9 / 10]),
            ["p99_ms"] = Round(latencies[count * 99 / 100]),
            ["max_ms"] = Round(latencies[^1]),
            ["store"] = durability,
            ["machine"] = $"{Environment.ProcessorCount} cores, {Processor()}, load generator on the same machine",
        };
        Console.Out.WriteLine(result.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return failed == 0 ? 0 : 1;
    }

    private static async Task<bool> CreateAsync(HttpClient http, int number)
    {
        using var answer = await http.PostAsJsonAsync("/v1/videos", new { prompt = $"benchmark clip {number}", model = "tiny" });
        await answer.Content.ReadAsByteArrayAsync();
        return answer.IsSuccessStatusCode;
    }

    private static async Task<string> DurabilityAsync(string connection)
    {
        await using var source = NpgsqlDataSource.Create(connection);
        async Task<string> Show(string setting)
        {
            await using var command = source.CreateCommand($"SHOW {setting}");
            return $"{setting} {await command.ExecuteScalarAsync()}";
        }
        return $"PostgreSQL {(await Show("server_version")).Split(' ')[1]}, {await Show("fsync")}, {await Show("synchronous_commit")}";
    }

    private static string Processor() => File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(": ")[1];

    private static double Round(double value) => Math.Round(value, 2);

    private static double Option(string[] arguments, string name, double fallback)
    {
        int at = Array.IndexOf(arguments, name);
        return at < 0 ? fallback : double.Parse(arguments[at + 1], CultureInfo.InvariantCulture);
    }
}
