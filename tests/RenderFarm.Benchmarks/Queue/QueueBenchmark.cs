using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Testing;

namespace RenderFarm.Benchmarks.Queue;

/// <summary>The queue's own figures: leases a second, submit to lease, and whose turn it is.</summary>
internal static class QueueBenchmark
{
    private static readonly string[] Parts = ["rate", "latency", "turns"];

    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var part = Option(arguments, "--part");
        if (part is not null && !Parts.Contains(part)) throw new ArgumentException($"--part is '{part}': it must be one of {string.Join(", ", Parts)}");
        int rows = Whole(arguments, "--rows", 1_000_000), workers = Whole(arguments, "--workers", 1_000), leases = Whole(arguments, "--leases", 10_000), jobs = Whole(arguments, "--jobs", 500);
        var result = new JsonObject
        {
            ["benchmark"] = "queue",
            ["machine"] = $"{ThisMachine.Name}; PostgreSQL (fsync and synchronous_commit on), RabbitMQ and the load on the same machine",
            ["load_average_before"] = ThisMachine.LoadAverage,
        };
        if (part is null or "turns") result["turns"] = await TurnOfAnother.MeasureAsync();
        if (part is null or "latency") result["submit_to_lease"] = await LeaseLatency.MeasureAsync(jobs);
        if (part is null or "rate") result["lease_rate"] = await LeaseRate.MeasureAsync(rows, workers, leases);
        result["load_average_after"] = ThisMachine.LoadAverage;
        var text = result.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
        Console.Out.WriteLine(text);
        if (Option(arguments, "--report") is { } report) await File.WriteAllTextAsync(report, text + Environment.NewLine);
        return 0;
    }

    private static int Whole(string[] arguments, string name, int fallback) => Option(arguments, name) is not { } value ? fallback
        : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new ArgumentException($"{name} is '{value}': it must be a whole number above 0");

    private static string? Option(string[] arguments, string name)
    {
        var at = Array.IndexOf(arguments, name);
        return at < 0 ? null : at + 1 < arguments.Length ? arguments[at + 1] : throw new ArgumentException($"{name} needs a value");
    }
}
