using System.CommandLine;
using RenderFarm.Simulation.Cards;
using RenderFarm.Simulation.Demand;
using RenderFarm.Verbs;

namespace RenderFarm.Simulation.Trials;

/// <summary>The verb.</summary>
internal static class Simulate
{
    public static async Task<int> RunAsync(ParseResult parsed, SimulateVerb verb, CancellationToken cancellationToken)
    {
        var part = parsed.GetValue(verb.Part);
        var report = verb.Report.Begin(parsed, part is null ? "simulate" : $"simulate, {part}");
        var (cards, seed) = (parsed.GetValue(verb.Cards), parsed.GetValue(verb.Seed));
        var farm = new Scenario(CardKind.Mixed, VideoKind.Mixed, cards, seed, parsed.GetValue(verb.Plots));
        farm.Describe(report);
        foreach (var name in SimulateVerb.Parts.Where(name => part is null || part == name))
        {
            report.Details[name] = name switch
            {
                "store" => await StoreTrial.RunAsync(farm, parsed.GetValue(verb.Jobs), report, cancellationToken),
                "day" => await DayTrial.RunAsync(farm, parsed.GetValue(verb.Load), report, cancellationToken),
                _ => await LimitsTrial.RunAsync(farm, report, cancellationToken),
            };
        }

        return report.Finish();
    }
}
