using System.Globalization;

namespace RenderFarm.Benchmarks.Api;

internal sealed record ApiOptions
{
    public static readonly string[] AllParts = ["create", "retrieve", "list", "batch", "eta", "memory"];

    public const string Usage = """
        ./farm bench api [--part create|retrieve|list|batch|eta|memory]… [options]
          Figures of the HTTP door, on a PostgreSQL with durable commits of its own. Without --part: all of them (about 20 minutes).
          --seconds N     how long each load lasts (20)
          --rate N        create and retrieve: requests a second for the latency, instead of half of the most
          --rows N        list: videos in the table (1000000)
          --jobs N        eta: videos after the first twenty (20)
          --minutes N     memory: how long (10)
          --results DIR   writes api-PART.json there (tests/RenderFarm.Benchmarks/results)
        Each figure is printed with its limit; the exit code is 1 when one is missed.
        """;

    public IReadOnlyList<string> Parts { get; init; } = AllParts;
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(20);
    public double? Rate { get; init; }
    public int Rows { get; init; } = 1_000_000;
    public int Jobs { get; init; } = 20;
    public double Minutes { get; init; } = 10;
    public string? Results { get; init; }

    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public static ApiOptions Parse(string[] arguments)
    {
        var (options, parts) = (new ApiOptions(), new List<string>());
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var name = arguments[i];
            var value = i + 1 < arguments.Length ? arguments[i + 1] : throw new ArgumentException($"{name} needs a value");
            options = name switch
            {
                "--part" when AllParts.Contains(value) => Add(value),
                "--part" => throw new ArgumentException($"--part is '{value}': it must be one of {string.Join(", ", AllParts)}"),
                "--seconds" => options with { Time = TimeSpan.FromSeconds(Number(name, value)) },
                "--rate" => options with { Rate = Number(name, value) },
                "--rows" => options with { Rows = (int)Number(name, value) },
                "--jobs" => options with { Jobs = (int)Number(name, value) },
                "--minutes" => options with { Minutes = Number(name, value) },
                "--results" => options with { Results = value },
                _ => throw new ArgumentException($"unknown option {name}"),
            };
        }
        return parts.Count == 0 ? options : options with { Parts = parts };

        ApiOptions Add(string part)
        {
            parts.Add(part);
            return options;
        }
    }

    private static double Number(string name, string value) =>
        double.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"{name} is '{value}': it must be a number above 0");
}
