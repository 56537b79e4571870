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
root.SetAction((parsed, cancellationToken) => RunAsync(ChaosOptions.Of(parsed, verb), parsed, cancellationToken));
return await VerbProgram.RunAsync(
    root,
    args,
    Console.Error,
    new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) }
);

async Task<int> RunAsync(ChaosOptions options, ParseResult parsed, CancellationToken cancellationToken)
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
            return await new FigureRun(options, verb.Report.Begin(parsed, "chaos, figures")).RunAsync(cancellationToken);
        }
        var report = verb.Report.Begin(parsed, "chaos, faults");
        var ledger = await new ChaosRun(options, report.Say).RunAsync(cancellationToken);
        return ledger.Finish(report);
    }
    catch (OperationCanceledException)
    {
        await Console.Error.WriteLineAsync("chaos: interrupted");
        return 130;
    }
}
