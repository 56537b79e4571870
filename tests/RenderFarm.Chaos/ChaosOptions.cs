using System.Globalization;
using RenderFarm.Chaos.Figures;

namespace RenderFarm.Chaos;

internal sealed class OptionException(string message) : Exception(message);

/// <summary>The command line.</summary>
internal sealed record ChaosOptions
{
    public const string Usage = """
        ./farm chaos --faults N --seed S [--report FILE] [--renderer stub|real] [--spacing SECONDS] [--home DIR] [--plan]
        ./farm chaos --figures [--part NAME] [--report FILE] [--renderer stub|real] [--home DIR]

        Two APIs and three workers on PostgreSQL, RabbitMQ and S3, all real processes; N faults drawn from seed S; clients
        at work all the while; then an audit. Exit code 0: every rule held. 1: a breach. 2: a wrong option.

        With --figures ten workers and one fault at a time, each figure against its limit. Exit code 1: one was missed.

          --report FILE     the ledger, or the figures, as JSON
          --renderer        stub (default): no model, real videos; real: the renderer with a tiny random model
          --spacing SECONDS mean time from one fault to the next (default 3)
          --home DIR        where logs stay (default: a new folder under the temporary folder)
          --plan            print the plan and stop
          --part NAME       one figure only: bells, renderer, cancel, cancel-no-broker, broker, database, stop or worker
        """;

    public int Faults { get; init; } = 20;
    public int Seed { get; init; } = 1;
    public string? Report { get; init; }
    public bool IsStub { get; init; } = true;
    public TimeSpan Spacing { get; init; } = TimeSpan.FromSeconds(3);
    public string Home { get; init; } = "";
    public bool PlanOnly { get; init; }
    public bool Figures { get; init; }

    /// <summary>Null: all of them.</summary>
    public string? Part { get; init; }

    /// <exception cref="OptionException">Says which option is wrong and what it may be.</exception>
    public static ChaosOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ChaosOptions();
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            if (name is "--plan" or "--figures")
            {
                options = options with
                {
                    PlanOnly = options.PlanOnly || name == "--plan",
                    Figures = options.Figures || name == "--figures",
                };
                continue;
            }
            var value = i + 1 < arguments.Count ? arguments[++i] : throw new OptionException($"{name} needs a value");
            options = name switch
            {
                "--faults" => options with { Faults = Whole(name, value, 1, 100_000) },
                "--seed" => options with { Seed = Whole(name, value, 0, int.MaxValue) },
                "--spacing" => options with { Spacing = TimeSpan.FromSeconds(Seconds(name, value)) },
                "--report" => options with { Report = Path.GetFullPath(value) },
                "--home" => options with { Home = Path.GetFullPath(value) },
                "--part" when FigureRun.Names.Contains(value) => options with { Part = value },
                "--part" => throw new OptionException($"--part is '{value}': it must be one of {string.Join(", ", FigureRun.Names)}"),
                "--renderer" when value is "stub" or "real" => options with { IsStub = value == "stub" },
                "--renderer" => throw new OptionException($"--renderer is '{value}': it must be stub or real"),
                _ => throw new OptionException($"there is no option '{name}'"),
            };
        }
        return options.Home.Length > 0
            ? options
            : options with
            {
                Home = Path.Combine(Path.GetTempPath(), $"renderfarm-chaos-{Environment.ProcessId}"),
            };
    }

    private static int Whole(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new OptionException($"{name} is '{value}': it must be a whole number from {least} to {most}");

    private static double Seconds(string name, string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0.1 and <= 600
            ? number
            : throw new OptionException($"{name} is '{value}': it must be seconds from 0.1 to 600");
}
