using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench queue</c>: figures of the queue.</summary>
public sealed class QueueVerb : Command
{
    public static readonly IReadOnlyList<string> Parts = ["turns", "latency", "rate"];

    public QueueVerb()
        : base("queue", "Leases a second, submit to lease, and whose turn it is, on durable servers of its own (1: a limit was missed)")
    {
        foreach (var option in new Option[] { Part, Rows, Workers, Leases, Jobs })
        {
            Add(option);
        }
        Report.AddTo(this);
        this.WithExamples("bench queue", "bench queue --part rate", "bench queue --part latency --jobs 200 --report latency.json");
    }

    public Option<string?> Part { get; } = OptionKinds.OptionalChoice("--part", "Absent: all of them", Parts);
    public Option<int> Rows { get; } = OptionKinds.Whole("--rows", "rate: queued videos", 1_000_000);
    public Option<int> Workers { get; } = OptionKinds.Whole("--workers", "rate: workers that ask", 1_000);
    public Option<int> Leases { get; } = OptionKinds.Whole("--leases", "rate: leases taken", 10_000);
    public Option<int> Jobs { get; } = OptionKinds.Whole("--jobs", "latency: videos submitted", 500);
    public ReportOptions Report { get; } = new();
}
