using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs;

/// <summary><c>chaos</c>: what a farm of real processes makes of faults.</summary>
public sealed class ChaosVerb : Command
{
    public static readonly IReadOnlyList<string> FigureNames =
    [
        "bells",
        "renderer",
        "cancel",
        "cancel-no-broker",
        "broker",
        "database",
        "stop",
        "worker",
        "away",
    ];

    public ChaosVerb()
        : base(
            "chaos",
            "Kill everything, again and again, and audit what is left (1: a rule was broken); with --figures one fault at a time, "
                + "each cost against its limit (1: one was missed)"
        )
    {
        foreach (var option in new Option[] { Faults, Seed, Figures, Part, AwayMinutes, Renderer, Spacing, Home, PlanOnly })
        {
            Add(option);
        }
        Report.AddTo(this);
        this.WithExamples(
            "chaos --faults 40 --seed 7",
            "chaos --figures",
            "chaos --figures --part broker --report broker.json",
            "chaos --figures --part away --renderer real --away-minutes 5",
            "chaos --faults 10 --seed 1 --plan"
        );
    }

    public Option<int> Faults { get; } = OptionKinds.Whole("--faults", "How many", 20, 1, 100_000);
    public Option<int> Seed { get; } = OptionKinds.Whole("--seed", "What they are drawn from", 1, 0);
    public Option<bool> Figures { get; } = new("--figures") { Description = "Ten workers and one fault at a time" };
    public Option<string?> Part { get; } = OptionKinds.OptionalChoice("--part", "With --figures: one of them only", FigureNames);
    public Option<double> AwayMinutes { get; } =
        OptionKinds.Number("--away-minutes", "With --part away: how long API, database and network are away", 5, 0.5, 14);
    public ReportOptions Report { get; } = new();
    public Option<string> Renderer { get; } =
        OptionKinds.Choice(
            "--renderer",
            "stub: no model, real videos; real: the renderer with a tiny random model",
            "stub",
            "stub",
            "real"
        );
    public Option<double> Spacing { get; } = OptionKinds.Number("--spacing", "Mean seconds from one fault to the next", 3, 0.1, 600);
    public Option<string?> Home { get; } =
        new("--home") { Description = "Where logs stay; absent: a new folder under the temporary folder", HelpName = "DIR" };
    public Option<bool> PlanOnly { get; } = new("--plan") { Description = "Print the plan and stop" };
}
