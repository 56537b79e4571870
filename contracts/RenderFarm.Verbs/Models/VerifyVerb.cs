using System.CommandLine;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Models;

/// <summary><c>models verify DIR</c>.</summary>
public sealed class VerifyVerb : Command
{
    public VerifyVerb()
        : base(
            "verify",
            "Check a model folder against its model.json: every file whole, every tensor there in its shape (1: something is wrong)"
        )
    {
        Add(Folder);
        this.WithExamples("models verify ~/.renderfarm/models/t2v-14b");
    }

    public Argument<string> Folder { get; } = new("dir") { Description = "A folder that holds a model.json" };
}
