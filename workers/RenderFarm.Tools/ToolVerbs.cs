using System.CommandLine;
using RenderFarm.Hosting.Folders;
using RenderFarm.Tools.Bench;
using RenderFarm.Tools.Bench.Gpu;
using RenderFarm.Tools.Bench.Renderers;
using RenderFarm.Tools.Bench.StepCaches;
using RenderFarm.Tools.Models;
using RenderFarm.Tools.Parity;
using RenderFarm.Verbs;
using RenderFarm.Verbs.Bench;
using RenderFarm.Verbs.Models;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Tools;

/// <summary>The verbs of this program: declared for the CLI and for it in RenderFarm.Verbs, carried out here.</summary>
internal static class ToolVerbs
{
    public static RootCommand Create()
    {
        var root = new RootCommand("RenderFarm's workshop: parity, models and the engine's benchmarks") { Parity(), Models(), Bench() };
        root.HelpName = "RenderFarm.Tools";
        VerbExamples.AddTo(root);
        return root;
    }

    private static ParityVerb Parity()
    {
        var parity = new ParityVerb();
        parity.SetAction(parsed =>
            ParityRun.Run(parsed.GetRequiredValue(parity.Folder), parsed.GetRequiredValue(parity.Device), Console.Out)
        );
        return parity;
    }

    private static Command Models()
    {
        var verbs = ModelVerbs.Create();
        verbs.MakeRandom.SetAction(parsed =>
            MakeRandom.Run(
                parsed.GetRequiredValue(verbs.MakeRandom.Preset),
                parsed.GetRequiredValue(verbs.MakeRandom.Folder),
                parsed.GetValue(verbs.MakeRandom.Seed) ?? 0,
                parsed.GetValue(verbs.MakeRandom.Force),
                FreeSpace.OfDisks
            )
        );
        verbs.Inspect.SetAction(parsed => Inspect.Run(parsed.GetRequiredValue(verbs.Inspect.Path), parsed.GetValue(verbs.Inspect.Json)));
        verbs.Scan.SetAction(parsed =>
            Scan.Run(
                parsed.GetRequiredValue(verbs.Scan.Folder),
                parsed.GetValue(verbs.Scan.Into),
                parsed.GetValue(verbs.Scan.DryRun),
                parsed.GetValue(verbs.Scan.Json)
            )
        );
        verbs.Verify.SetAction(parsed => Verify.Run(parsed.GetRequiredValue(verbs.Verify.Folder)));
        var models = new Command("models", "What can be done with checkpoints without rendering");
        foreach (var verb in verbs.All)
        {
            models.Add(verb);
        }
        return models;
    }

    private static Command Bench() => new("bench", "Measure the engine on this machine") { Gpu(), StepCache(), Renderers(), Occupy() };

    private static GpuVerb Gpu()
    {
        var gpu = new GpuVerb();
        gpu.SetAction(parsed =>
            GpuBench.Run(
                parsed.GetRequiredValue(gpu.Part),
                (parsed.GetValue(gpu.From), parsed.GetValue(gpu.Cases)),
                gpu.Report.Begin(parsed, $"gpu, {parsed.GetRequiredValue(gpu.Part)}")
            )
        );
        return gpu;
    }

    private static StepCacheVerb StepCache()
    {
        var verb = new StepCacheVerb();
        verb.SetAction(parsed => StepCacheBench.Run(StepCacheChoices.Of(parsed, verb), verb.Report.Begin(parsed, "step-cache")));
        return verb;
    }

    private static RenderersVerb Renderers()
    {
        var verb = new RenderersVerb();
        verb.SetAction(parsed =>
            FreshProcesses.Run(parsed.GetValue(verb.Jobs), parsed.GetRequiredValue(verb.Device), verb.Report.Begin(parsed, "renderers"))
        );
        return verb;
    }

    /// <summary>Started by the benchmarks themselves.</summary>
    private static Command Occupy()
    {
        var leave = new Option<long>("--leave") { Description = "Bytes of the card that stay free", Required = true };
        var occupy = new Command(Occupant.Verb, "Take a card's memory and hold it until the input ends") { leave };
        occupy.Hidden = true;
        occupy.SetAction(parsed => Occupant.Occupy(parsed.GetValue(leave)));
        return occupy;
    }
}
