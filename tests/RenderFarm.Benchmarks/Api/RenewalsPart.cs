using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// Renewals on SQLite, which has one writer at a time, while two batches of 52 MiB come in: a worker whose renewal waits too long takes
/// its lease for lost.
/// </summary>
internal static class RenewalsPart
{
    private const int Lines = 10_000;
    private const int LineBytes = 5_400;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);

    public static async Task<Findings> MeasureAsync()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup(), workers: 0);
        using var worker = new HttpClient { BaseAddress = new Uri(farm.Url) };
        var keys = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(farm.Home, "keys.json"))).RootElement;
        worker.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", keys.GetProperty("worker_key").GetString());
        var lease = await LeaseAsync(farm, worker);

        using var over = new CancellationTokenSource();
        var renewing = RenewAsync(worker, lease, over.Token);
        var clock = Stopwatch.StartNew();
        var taken = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => SubmitAsync(farm, i)));
        var seconds = clock.Elapsed.TotalSeconds;
        await over.CancelAsync();
        var renewals = new Distribution(await renewing);
        return new Findings(
            [Figure.Most("slowest renewal on SQLite under two batches of 52 MiB", (renewals.Max ?? double.NaN) / 1000, "s", 5)],
            new JsonObject
            {
                ["renewals"] = renewals.Count,
                ["p50_ms"] = Math.Round(renewals.P50 ?? 0, 1),
                ["p99_ms"] = Math.Round(renewals.P99 ?? 0, 1),
                ["max_ms"] = Math.Round(renewals.Max ?? 0, 1),
                ["both_batches_seconds"] = Math.Round(seconds, 1),
                ["batch_seconds"] = new JsonArray([.. taken.Select(took => (JsonNode)Math.Round(took, 1))]),
            }
        );
    }

    private static async Task<LeaseGrant> LeaseAsync(FarmUnderTest farm, HttpClient worker)
    {
        var registered = await PostAsync<RegisterWorkerReply>(
            worker,
            "/worker/v1/register",
            SimulatedWorker.Registration("renewing", Planning.Models.ModelShapes.Tiny)
        );
        await farm.SubmitAsync(new { prompt = "held", model = "tiny" });
        return await PostAsync<LeaseGrant>(
            worker,
            "/worker/v1/leases",
            new LeaseRequest
            {
                WorkerId = registered.WorkerId,
                Instance = SimulatedWorker.Instance,
                SlotId = "cpu",
                FreeBytes = 8L << 30,
                WaitSeconds = 5,
            }
        );
    }

    /// <returns>How long each took, in milliseconds.</returns>
    private static async Task<double[]> RenewAsync(HttpClient worker, LeaseGrant lease, CancellationToken over)
    {
        var took = new List<double>();
        using var timer = new PeriodicTimer(Every);
        while (!over.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            await PostAsync<RenewReply>(
                worker,
                $"/worker/v1/leases/{lease.JobId}/renew",
                new RenewRequest
                {
                    Stage = RenderStage.Denoising,
                    Step = 1,
                    Steps = 4,
                }.Under(lease.Lease)
            );
            took.Add(clock.Elapsed.TotalMilliseconds);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return [.. took];
    }

    /// <returns>Seconds until it was taken.</returns>
    private static async Task<double> SubmitAsync(FarmUnderTest farm, int number)
    {
        var lines = Enumerable
            .Range(0, Lines)
            .Select(i => $$"""{"prompt":"{{$"batch {number}, clip {i} ".PadRight(LineBytes, 'a')}}","model":"tiny"}""");
        using var content = new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/jsonl");
        var clock = Stopwatch.StartNew();
        using var answer = await farm.Http.PostAsync(new Uri("/v1/batches", UriKind.Relative), content);
        return answer.IsSuccessStatusCode
            ? clock.Elapsed.TotalSeconds
            : throw new InvalidOperationException($"a batch was answered {(int)answer.StatusCode}");
    }

    private static async Task<T> PostAsync<T>(HttpClient worker, string path, object body)
    {
        using var content = new StringContent(
            JsonSerializer.Serialize(body, body.GetType(), ContractsJson.Default),
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await worker.PostAsync(new Uri(path, UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode && text.Length > 0
            ? (T)JsonSerializer.Deserialize(text, typeof(T), ContractsJson.Default)!
            : throw new InvalidOperationException($"{path} was answered {(int)answer.StatusCode}: {text}");
    }
}
