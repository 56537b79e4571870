using System.CommandLine;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench calibrate</c>: run by the renderer, whose rates they are.</summary>
public sealed class CalibrateVerb : Command
{
    public CalibrateVerb()
        : base("calibrate", "Measure the rates that plans are timed with, and keep them where this host's worker looks for them")
    {
        Add(Device);
        Add(Into);
        Add(Json);
        this.WithExamples("bench calibrate", "bench calibrate --device cpu --into /tmp/rates --json");
    }

    public Option<string?> Device { get; } = OptionKinds.OptionalChoice("--device", "Absent: the card where there is one", "cpu", "cuda");
    public Option<string?> Into { get; } = new("--into") { Description = "Where to keep them; absent: the farm's home", HelpName = "DIR" };
    public Option<bool> Json { get; } = new("--json") { Description = "The rates as JSON" };
}
