using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench api</c>: figures of the HTTP door.</summary>
public sealed class ApiVerb : Command
{
    public static readonly IReadOnlyList<string> Parts =
    [
        "create", "retrieve", "list", "batch", "bodies", "renewals", "eta", "webhooks", "memory",
    ];

    public ApiVerb()
        : base(
            "api",
            "Figures of the HTTP door, on a durable PostgreSQL of its own (1: a limit was missed; all parts take about 20 minutes)"
        )
    {
        foreach (var option in new Option[] { Part, Seconds, Rate, Rows, Jobs, Minutes })
        {
            Add(option);
        }
        Report.AddTo(this);
        this.WithExamples("bench api --part create --part list", "bench api --results tests/RenderFarm.Benchmarks/results");
    }

    public Option<string[]> Part { get; } = OptionKinds.Choices("--part", "May be repeated; absent: all of them", Parts);
    public Option<double> Seconds { get; } = OptionKinds.Number("--seconds", "How long each load lasts", 20, 0.1);
    public Option<double?> Rate { get; } =
        OptionKinds.OptionalNumber("--rate", "create and retrieve: requests a second for the latency, instead of half of the most", 0.1);
    public Option<int> Rows { get; } = OptionKinds.Whole("--rows", "list: videos in the table", 1_000_000);
    public Option<int> Jobs { get; } = OptionKinds.Whole("--jobs", "eta: videos after the first twenty", 20);
    public Option<double> Minutes { get; } = OptionKinds.Number("--minutes", "memory: how long", 10, 0.01);
    public ReportOptions Report { get; } = new();
}
