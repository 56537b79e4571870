using System.Diagnostics;
using System.Text.Json.Nodes;
using RenderFarm.Testing;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// Requests of one kind, as a number of clients or a schedule sends them. A request says whether it was answered as it should be.
/// </summary>
internal static class Load
{
    /// <summary>So many clients, each sending its next request when it has the answer to the last: what a service can take.</summary>
    public static async Task<Sample> ClosedAsync(int clients, TimeSpan time, Func<int, Task<bool>> request)
    {
        var (clock, number, failed) = (Stopwatch.StartNew(), 0, 0);
        var latencies = await Task.WhenAll(
            Enumerable
                .Range(0, clients)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        var mine = new List<double>();
                        while (clock.Elapsed < time)
                        {
                            var sent = clock.Elapsed;
                            if (!await IsAnsweredAsync(request, Interlocked.Increment(ref number)))
                            {
                                Interlocked.Increment(ref failed);
                            }

                            mine.Add((clock.Elapsed - sent).TotalMilliseconds);
                        }
                        return mine;
                    })
                )
        );
        return Sample.Of([.. latencies.SelectMany(mine => mine)], failed, clock.Elapsed);
    }

    /// <summary>
    /// Until the runtime has compiled what it will: a window of the load is no more than a tenth faster than the fastest before,
    /// three times in a row, and not before half a minute is over: the compiler waits for a pause that a full load rarely makes.
    /// </summary>
    public static async Task WarmUpAsync(int clients, Func<int, Task<bool>> request)
    {
        var (window, before, steady) = (TimeSpan.FromSeconds(3), 0.0, 0);
        for (var tried = 0; tried < 20 && steady < 3; tried++)
        {
            var rate = (await ClosedAsync(clients, window, request)).PerSecond;
            steady = tried >= 7 && rate <= before * 1.1 ? steady + 1 : 0;
            before = Math.Max(before, rate);
        }
    }

    /// <summary>
    /// So many a second, whatever the answers do. Latency counts from the moment a request was due, so a stall shows in full.
    /// </summary>
    public static async Task<Sample> SteadyAsync(double rate, TimeSpan time, Func<int, Task<bool>> request)
    {
        var (count, failed) = ((int)(rate * time.TotalSeconds), 0);
        var latencies = new double[count];
        var sent = new List<Task>(count);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
        {
            var (number, due) = (i, TimeSpan.FromSeconds(i / rate));
            if (due > clock.Elapsed)
            {
                await Task.Delay(due - clock.Elapsed, CancellationToken.None);
            }

            sent.Add(
                Task.Run(async () =>
                {
                    if (!await IsAnsweredAsync(request, number))
                    {
                        Interlocked.Increment(ref failed);
                    }

                    latencies[number] = (clock.Elapsed - due).TotalMilliseconds;
                })
            );
        }
        await Task.WhenAll(sent);
        return Sample.Of(latencies, failed, clock.Elapsed);
    }

    private static async Task<bool> IsAnsweredAsync(Func<int, Task<bool>> request, int number)
    {
        try
        {
            return await request(number);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return false; // No answer is a failed request, not the end of the measurement
        }
    }
}

/// <summary>How a load was answered; times in milliseconds.</summary>
internal sealed record Sample(int Requests, int Failed, double PerSecond, double P50, double P90, double P99, double Max)
{
    public static Sample Of(double[] latencies, int failed, TimeSpan took)
    {
        var all = new Distribution(latencies);
        return new Sample(all.Count, failed, all.Count / took.TotalSeconds, all.P50 ?? 0, all.P90 ?? 0, all.P99 ?? 0, all.Max ?? 0);
    }

    public JsonObject ToJson() =>
        new()
        {
            ["requests"] = Requests,
            ["failed"] = Failed,
            ["per_second"] = Math.Round(PerSecond, 1),
            ["p50_ms"] = Math.Round(P50, 2),
            ["p90_ms"] = Math.Round(P90, 2),
            ["p99_ms"] = Math.Round(P99, 2),
            ["max_ms"] = Math.Round(Max, 2),
        };
}
