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
        "ways",
        "job480",
        "job720",
    ];

    public GpuVerb()
        : base("gpu", "The engine on the card at hand, with random weights (1: a limit was missed)")
    {
        Add(Part);
        Add(From);
        Add(Cases);
        Report.AddTo(this);
        this.WithExamples("bench gpu --part selftest", "bench gpu --part speed --json", "bench gpu --part predict --from 14");
    }

    public Option<string> Part { get; } =
        Needed(OptionKinds.OptionalChoice("--part", $"What to measure: {string.Join(", ", Parts)}", Parts)!);

    public Option<int> From { get; } = OptionKinds.Whole("--from", "Of the predict parts: the first case, counted from 1", 1);
    public Option<int?> Cases { get; } = OptionKinds.OptionalWhole("--cases", "Of the predict parts: how many; absent: all that follow");
    public ReportOptions Report { get; } = new();

    private static Option<string> Needed(Option<string> option)
    {
        option.Required = true;
        return option;
    }
}
