using RenderFarm.Chaos;
using RenderFarm.Chaos.Figures;
using RenderFarm.Chaos.Plan;
using RenderFarm.Chaos.Rendering;

// Started by a worker, this program is its renderer
if (args is ["render", ..])
{
    return await StubRenderer.RunAsync();
}

try
{
    if (args is ["--help" or "-h" or "help", ..])
    {
        Console.Out.WriteLine(ChaosOptions.Usage);
        return 0;
    }
    var options = ChaosOptions.Parse(args);
    if (options.PlanOnly)
    {
        foreach (var fault in FaultPlan.Draw(options.Faults, options.Seed, options.Spacing))
        {
            Console.Out.WriteLine(fault);
        }

        return 0;
    }
    using var interrupted = new CancellationTokenSource();
    Console.CancelKeyPress += (_, press) =>
    {
        press.Cancel = true;
        interrupted.Cancel();
    };
    if (options.Figures)
    {
        return await new FigureRun(options, Console.Out).RunAsync(interrupted.Token) ? 0 : 1;
    }

    var ledger = await new ChaosRun(options, Console.Out).RunAsync(interrupted.Token);
    ledger.Print(Console.Out);
    if (options.Report is { } report)
    {
        await ledger.WriteAsync(report);
    }

    return ledger.Breaches == 0 ? 0 : 1;
}
catch (OptionException wrong)
{
    await Console.Error.WriteLineAsync($"chaos: {wrong.Message}{Environment.NewLine}{ChaosOptions.Usage}");
    return 2;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("chaos: interrupted");
    return 130;
}
