using System.CommandLine;
using RenderFarm.Chaos;
using RenderFarm.Chaos.Figures;
using RenderFarm.Chaos.Plan;
using RenderFarm.Chaos.Rendering;
using RenderFarm.Verbs;
using RenderFarm.Verbs.Parsing;

// Started by a worker, this program is its renderer.
if (args is ["render", ..])
{
    return await StubRenderer.RunAsync();
}

var verb = new ChaosVerb();
var root = new RootCommand(verb.Description!);
foreach (var option in verb.Options)
{
    root.Add(option);
}
root.HelpName = "chaos";
root.SetAction((parsed, cancellationToken) => RunAsync(ChaosOptions.Of(parsed, verb), cancellationToken));
return await VerbProgram.RunAsync(
    root,
    args,
    Console.Error,
    new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) }
);

static async Task<int> RunAsync(ChaosOptions options, CancellationToken cancellationToken)
{
    if (options.PlanOnly)
    {
        foreach (var fault in FaultPlan.Draw(options.Faults, options.Seed, options.Spacing))
        {
            Console.Out.WriteLine(fault);
        }
        return VerbProgram.Done;
    }
    try
    {
        if (options.Figures)
        {
            return await new FigureRun(options, Console.Out).RunAsync(cancellationToken) ? VerbProgram.Done : VerbProgram.Failed;
        }
        var ledger = await new ChaosRun(options, Console.Out).RunAsync(cancellationToken);
        ledger.Print(Console.Out);
        if (options.Report is { } report)
        {
            await ledger.WriteAsync(report);
        }
        return ledger.Breaches == 0 ? VerbProgram.Done : VerbProgram.Failed;
    }
    catch (OperationCanceledException)
    {
        await Console.Error.WriteLineAsync("chaos: interrupted");
        return 130;
    }
}
