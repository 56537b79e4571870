using System.Diagnostics;
using System.Text.Json.Nodes;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Queue;

/// <summary>How many leases a second a thousand workers get out of the store, with a deep queue and with a short one.</summary>
internal static class LeaseRate
{
    private const int AtOnce = 16;
    private const int ShortQueue = 1_000;
    private const int WarmingRounds = 5;

    public static async Task<Findings> MeasureAsync(int rows, int workers, int leases)
    {
        await using var queue = await QueueOfJobs.CreateAsync();
        var ids = await queue.RegisterAsync(workers);
        // The first ones pay for compiling, which would be to the credit of the deep queue
        for (var round = 0; round < WarmingRounds; round++)
        {
            await queue.FillAsync(ShortQueue);
            await TakeAsync(queue, ids, ShortQueue);
        }

        double shortSeconds = 0;
        var rounds = Math.Max(1, leases / ShortQueue / 2);
        for (var round = 0; round < rounds; round++)
        {
            await queue.FillAsync(ShortQueue);
            shortSeconds += (await TakeAsync(queue, ids, ShortQueue)).TotalSeconds;
        }

        var filling = Stopwatch.StartNew();
        await queue.FillAsync(rows);
        Console.Error.WriteLine($"{rows} rows after {filling.Elapsed.TotalSeconds:0} s");
        await TakeAsync(queue, ids, 200);
        var deepSeconds = (await TakeAsync(queue, ids, leases)).TotalSeconds;

        var (shallow, deep) = (rounds * ShortQueue / shortSeconds, leases / deepSeconds);
        return new Findings(
            [
                Figure.Least($"leases a second, {workers} workers, {rows} queued rows", deep, "/s", 500),
                Figure.Most($"rate with {ShortQueue} rows over that", shallow / deep, "times", 1.5),
            ],
            new JsonObject
            {
                ["workers"] = workers,
                ["requests_at_once"] = AtOnce,
                ["rows"] = rows,
                ["leases"] = leases,
                ["leases_per_second"] = Math.Round(deep),
                ["leases_per_second_with_1000_rows"] = Math.Round(shallow),
            }
        );
    }

    private static async Task<TimeSpan> TakeAsync(QueueOfJobs queue, IReadOnlyList<string> workers, int leases)
    {
        var next = -1;
        var granted = 0;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, AtOnce)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        int mine;
                        while ((mine = Interlocked.Increment(ref next)) < leases)
                        {
                            if (await queue.LeaseAsync(workers[mine % workers.Count]) is not null)
                            {
                                Interlocked.Increment(ref granted);
                            }
                        }
                    })
                )
        );
        return granted == leases ? clock.Elapsed : throw new InvalidOperationException($"{granted} of {leases} leases were granted");
    }
}
