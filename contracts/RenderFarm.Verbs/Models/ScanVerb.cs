using System.CommandLine;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Models;

/// <summary><c>models scan DIR</c>.</summary>
public sealed class ScanVerb : Command
{
    public ScanVerb()
        : base(
            "scan",
            "Find models in any folder, register the complete ones where they lie and say what the others need (1: none is complete)"
        )
    {
        Add(Folder);
        Add(Into);
        Add(DryRun);
        Add(Json);
        this.WithExamples(
            "models scan ~/ComfyUI/models",
            "models scan ~/Downloads --dry-run",
            "models scan /models --into /srv/farm/models --json"
        );
    }

    public Argument<string> Folder { get; } =
        new("dir") { Description = "A download, a ComfyUI models folder, a diffusers folder, or all of them mixed" };
    public Option<string?> Into { get; } =
        new("--into") { Description = "Where to write; absent: models in RENDERFARM_HOME, or in ~/.renderfarm", HelpName = "DIR" };
    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Write nothing" };
    public Option<bool> Json { get; } = new("--json") { Description = "Everything found as one JSON object" };
}
