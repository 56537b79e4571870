using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench leaks</c>.</summary>
public sealed class LeaksVerb : Command
{
    public LeaksVerb()
        : base("leaks", "Many jobs through one worker, and what they leave behind (1: something leaks)")
    {
        foreach (var option in new Option[] { Jobs, Slots, Model, Size, Frames, Steps, Standby })
        {
            Add(option);
        }
        Report.AddTo(this);
        this.WithExamples("bench leaks --jobs 100", "bench leaks --jobs 1000 --standby --report leaks.json");
    }

    public Option<int> Jobs { get; } = OptionKinds.Whole("--jobs", "One after the other", 1000, 10);
    public Option<string> Slots { get; } = OptionKinds.Choice("--slots", "The processor, or the cards of this host", "cpu", "cpu", "auto");
    public Option<string> Model { get; } =
        new("--model")
        {
            Description = "A model id",
            HelpName = "ID",
            DefaultValueFactory = _ => "tiny",
        };
    public Option<string> Size { get; } =
        new("--size")
        {
            Description = "Width x height",
            HelpName = "WxH",
            DefaultValueFactory = _ => "64x48",
        };
    public Option<int> Frames { get; } = OptionKinds.Whole("--frames", "Of each clip", 5);
    public Option<int> Steps { get; } = OptionKinds.Whole("--steps", "Of each clip", 2);
    public Option<bool> Standby { get; } = new("--standby") { Description = "With a renderer that stands by" };
    public ReportOptions Report { get; } = new();
}
