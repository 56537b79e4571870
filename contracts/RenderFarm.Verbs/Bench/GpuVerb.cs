using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench gpu --part PART</c>: the engine on the card at hand, on random weights.</summary>
public sealed class GpuVerb : Command
{
    public static readonly IReadOnlyList<string> Parts =
    [
        "selftest",
        "speed",
        "attention",
        "memory",
        "profile",
        "quality",
        "predict",
        "predict-fp8",
        "parity",
        "vae",
        "long",
        "job480",
        "job720",
    ];

    public GpuVerb()
        : base("gpu", "The engine on the card at hand, with random weights (1: a limit was missed)")
    {
        Add(Part);
        Report.AddTo(this);
        this.WithExamples("bench gpu --part selftest", "bench gpu --part speed --json");
    }

    public Option<string> Part { get; } =
        Needed(OptionKinds.OptionalChoice("--part", $"What to measure: {string.Join(", ", Parts)}", Parts)!);
    public ReportOptions Report { get; } = new();

    private static Option<string> Needed(Option<string> option)
    {
        option.Required = true;
        return option;
    }
}
