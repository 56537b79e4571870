using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench step-cache DIR</c>.</summary>
public sealed class StepCacheVerb : Command
{
    public StepCacheVerb()
        : base(
            "step-cache",
            "What step caches save on a model at half, once and twice the published threshold, and their error against the full run"
        )
    {
        Add(Folder);
        foreach (var option in new Option[] { As, Prompt, Image, LastFrame, Size, Frames, Steps, Seed, Device })
        {
            Add(option);
        }
        Report.AddTo(this);
        this.WithExamples("bench step-cache ~/.renderfarm/models/t2v-1-3b", "bench step-cache /tmp/tiny --as t2v-1-3b --steps 8 --json");
    }

    public Argument<string> Folder { get; } = new("dir") { Description = "A model's folder (model.json)" };
    public Option<string?> As { get; } =
        new("--as") { Description = "Take the figures of this model, for one that has none of its own", HelpName = "MODEL" };
    public Option<string> Prompt { get; } =
        new("--prompt")
        {
            Description = "What to show",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "a red ball rolls to the right on green",
        };

    public Option<string?> Image { get; } = new("--image") { Description = "First frame", HelpName = "FILE" };
    public Option<string?> LastFrame { get; } = new("--last-frame") { Description = "Last frame", HelpName = "FILE" };
    public Option<(int Width, int Height)?> Size { get; } =
        OptionKinds.OptionalSize("--size", "Width x height; absent: the model's default");
    public Option<int?> Frames { get; } = OptionKinds.OptionalWhole("--frames", "Absent: the model's default");
    public Option<int?> Steps { get; } = OptionKinds.OptionalWhole("--steps", "Absent: the model's default");
    public Option<long?> Seed { get; } = OptionKinds.OptionalLong("--seed", "Absent: 1");
    public Option<string> Device { get; } = OptionKinds.Choice("--device", "Where to compute", "cpu", "cpu", "cuda");
    public ReportOptions Report { get; } = new();
}
