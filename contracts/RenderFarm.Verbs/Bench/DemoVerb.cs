using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench demo</c>.</summary>
public sealed class DemoVerb : Command
{
    public DemoVerb()
        : base("demo", "What the clips of a trained demo model show, of captions it never saw (1: too few are right)")
    {
        foreach (var option in new Option[] { Model, Captions, Pictures })
        {
            Add(option);
        }
        Report.AddTo(this);
        this.WithExamples("bench demo --model deploy/models/demo", "bench demo --model deploy/models/demo --captions 50 --pictures 5");
    }

    public Option<string> Model { get; } =
        new("--model")
        {
            Description = "A model as the trainer leaves it, with its model.json",
            HelpName = "DIR",
            Required = true,
        };
    public Option<int> Captions { get; } = OptionKinds.Whole("--captions", "How many clips from words alone", 200);
    public Option<int> Pictures { get; } = OptionKinds.Whole("--pictures", "How many of them once more with a first frame given", 20, 0);
    public ReportOptions Report { get; } = new();
}
