using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs;

/// <summary><c>simulate</c>: a farm of more cards than anybody has at hand.</summary>
public sealed class SimulateVerb : Command
{
    public static readonly IReadOnlyList<string> Parts = ["store", "day", "limits"];

    public SimulateVerb()
        : base(
            "simulate",
            "Ten thousand cards, event by event, with the farm's own planner and order: two hours through the lease's statement, a "
                + "day beside other orders, and what gives way first (1: a rule was broken)"
        )
    {
        foreach (var option in new Option[] { Part, Cards, Jobs, Load, Seed, Plots })
        {
            Add(option);
        }
        Report.AddTo(this);
        this.WithExamples(
            "simulate --part store",
            "simulate --part day --cards 1000 --load 0.9 --seed 7",
            "simulate --part limits --plots plots"
        );
    }

    public Option<string?> Part { get; } = OptionKinds.OptionalChoice("--part", "Absent: all of them", Parts);
    public Option<int> Cards { get; } = OptionKinds.Whole("--cards", "How many, of ten kinds", 10_000, 10, 100_000);
    public Option<int> Jobs { get; } = OptionKinds.Whole("--jobs", "store: videos in two hours", 100_000, 1, 10_000_000);
    public Option<double> Load { get; } =
        OptionKinds.Number("--load", "day: work that is asked for, as a part of what the cards can do", 0.7, 0.01, 10);
    public Option<int> Seed { get; } = OptionKinds.Whole("--seed", "What all chance is drawn from", 1, 0);
    public Option<string?> Plots { get; } =
        new("--plots") { Description = "Where plots (SVG) go; absent: none are made", HelpName = "DIR" };
    public ReportOptions Report { get; } = new();
}
