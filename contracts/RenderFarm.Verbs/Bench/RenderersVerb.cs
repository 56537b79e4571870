using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench renderers</c>.</summary>
public sealed class RenderersVerb : Command
{
    public RenderersVerb()
        : base("renderers", "What a fresh renderer process costs a job, and what is left behind after many (1: a limit was missed)")
    {
        Add(Jobs);
        Add(Device);
        Report.AddTo(this);
        this.WithExamples("bench renderers --jobs 50", "bench renderers --device cuda --report renderers.json");
    }

    public Option<int> Jobs { get; } = OptionKinds.Whole("--jobs", "A process for each", 50);
    public Option<string> Device { get; } = OptionKinds.Choice("--device", "Where they render", "cpu", "cpu", "cuda");
    public ReportOptions Report { get; } = new();
}
