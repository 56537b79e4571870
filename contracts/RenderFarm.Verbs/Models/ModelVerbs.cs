using System.CommandLine;

namespace RenderFarm.Verbs.Models;

/// <summary>What <c>models</c> can do with checkpoints without a farm.</summary>
public sealed record ModelVerbs(MakeRandomVerb MakeRandom, InspectVerb Inspect, ScanVerb Scan, VerifyVerb Verify)
{
    public static ModelVerbs Create() => new(new(), new(), new(), new());

    public IEnumerable<Command> All => [MakeRandom, Inspect, Scan, Verify];
}
