using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Testing;

namespace RenderFarm.Benchmarks.Queue;

/// <summary>The queue's own figures, each against its limit: leases a second, submit to lease, and whose turn it is.</summary>
internal static class QueueBenchmark
{
    private static readonly string[] Parts = ["turns", "latency", "rate"];

    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var part = Option(arguments, "--part");
        if (part is not null && !Parts.Contains(part))
        {
            throw new ArgumentException($"--part is '{part}': it must be one of {string.Join(", ", Parts)}");
        }

        var rows = Whole(arguments, "--rows", 1_000_000);
        var workers = Whole(arguments, "--workers", 1_000);
        var leases = Whole(arguments, "--leases", 10_000);
        var jobs = Whole(arguments, "--jobs", 500);
        var (load, figures, details) = (ThisMachine.LoadAverage, new List<Figure>(), new JsonObject());
        foreach (var name in Parts.Where(name => part is null || part == name))
        {
            var found = name switch
            {
                "turns" => await TurnOfAnother.MeasureAsync(),
                "latency" => await LeaseLatency.MeasureAsync(jobs),
                _ => await LeaseRate.MeasureAsync(rows, workers, leases),
            };
            foreach (var figure in found.Figures)
            {
                Console.Out.WriteLine(figure);
            }

            figures.AddRange(found.Figures);
            details[name] = found.Details;
        }
        if (Option(arguments, "--report") is { } file)
        {
            var report = new JsonObject
            {
                ["benchmark"] = $"queue{(part is null ? "" : ", " + part)}",
                ["machine"] =
                    $"{ThisMachine.Name}; PostgreSQL (fsync and synchronous_commit on), RabbitMQ and the load on the same machine",
                ["load_average_before_and_after"] = new JsonArray(load, ThisMachine.LoadAverage),
                ["figures"] = new JsonArray([.. figures.Select(figure => (JsonNode)figure.ToJson())]),
                ["details"] = details,
            };
            await File.WriteAllTextAsync(
                file,
                report.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + Environment.NewLine
            );
        }
        return figures.TrueForAll(figure => figure.IsMet) ? 0 : 1;
    }

    private static int Whole(string[] arguments, string name, int fallback) =>
        Option(arguments, name) is not { } value ? fallback
        : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new ArgumentException($"{name} is '{value}': it must be a whole number above 0");

    private static string? Option(string[] arguments, string name)
    {
        var at = Array.IndexOf(arguments, name);
        return at < 0 ? null
            : at + 1 < arguments.Length ? arguments[at + 1]
            : throw new ArgumentException($"{name} needs a value");
    }
}
