using System.CommandLine;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Models;

/// <summary><c>models make-random PRESET DIR</c>.</summary>
public sealed class MakeRandomVerb : Command
{
    public MakeRandomVerb()
        : base(
            "make-random",
            "Write a model of random weights in the published layout; the same preset and seed give the same bytes"
        )
    {
        Add(Preset);
        Add(Folder);
        Add(Seed);
        Add(Force);
        this.WithExamples("models make-random tiny /tmp/tiny", "models make-random t2v-1-3b /tmp/random --seed 7");
    }

    public Argument<string> Preset { get; } = new("preset") { Description = "A model id, such as tiny or t2v-1-3b" };
    public Argument<string> Folder { get; } = new("dir") { Description = "Where the model goes" };
    public Option<long?> Seed { get; } = OptionKinds.OptionalLong("--seed", "What the weights are drawn from; absent: 0");
    public Option<bool> Force { get; } = new("--force") { Description = "Overwrite a model that is there" };
}
