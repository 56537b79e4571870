using System.CommandLine;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Models;

/// <summary><c>models inspect FILE|DIR</c>.</summary>
public sealed class InspectVerb : Command
{
    public InspectVerb()
        : base(
            "inspect",
            "Say what a checkpoint is, from its header alone: of which models, whose layout, what is missing (1: some can't be used)"
        )
    {
        Add(Path);
        Add(Json);
        this.WithExamples("models inspect Wan2.1_VAE.pth", "models inspect ~/ComfyUI/models --json");
    }

    public Argument<string> Path { get; } =
        new("path") { Description = "A checkpoint, or a folder of them; shards (-00001-of-00006) count as one" };
    public Option<bool> Json { get; } = new("--json") { Description = "A JSON list of descriptions" };
}
