using System.Text.Json.Nodes;
using RenderFarm.Simulation.Queues;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Simulation.Trials;

/// <summary>More and more is asked for: which class of videos waits for too long first.</summary>
internal static class LimitsTrial
{
    private const double Day = 86_400;
    private const double TooLong = 1_800;
    private static readonly double[] Loads = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

    public static async Task<JsonObject> RunAsync(Scenario farm, FigureReport report, CancellationToken cancellationToken)
    {
        var told = new JsonArray();
        double? first = null;
        foreach (var load in Loads)
        {
            var jobs = (int)(load * farm.Capacity * Day);
            var outcome = await farm.RunAsync(park => new FarmOrder(park), jobs, Day, daily: true, cancellationToken);
            report.Say($"load {load}:");
            var json = Scenario.Tell(outcome, report);
            json["load"] = load;
            told.Add(json);
            if (outcome.ByClass.Where(one => one.Waits.P95 > TooLong).ToList() is [_, ..] late)
            {
                first = load;
                report.Say($"  too long: class {string.Join(", ", late.Select(one => one.VramClass))}");
                break;
            }
        }

        report.Say(
            first is null
                ? $"No class waits for over {Scenario.Seconds(TooLong)} (p95) up to load {Loads[^1]}"
                : $"The first wait over {Scenario.Seconds(TooLong)} (p95) is at load {first}"
        );
        return new JsonObject { ["too_long_seconds"] = TooLong, ["first_at_load"] = first, ["loads"] = told };
    }
}
