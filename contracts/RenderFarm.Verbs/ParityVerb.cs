using System.CommandLine;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs;

/// <summary><c>parity DIR</c>: golden files against what this build computes.</summary>
public sealed class ParityVerb : Command
{
    public ParityVerb()
        : base("parity", "Compare this engine with golden files, tensor by tensor")
    {
        Add(Folder);
        Add(Device);
        this.WithExamples("parity tests/golden", "parity tests/golden --device cuda");
    }

    public Argument<string> Folder { get; } = new("dir") { Description = "A folder of golden files" };
    public Option<string> Device { get; } = OptionKinds.Choice("--device", "Where to compute", "cpu", "cpu", "cuda");
}
