using System.Text.Json.Nodes;
using RenderFarm.Simulation.Queues;
using RenderFarm.Simulation.Results;
using RenderFarm.Simulation.Supply;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Simulation.Trials;

/// <summary>One day, the same videos on the same cards with the same luck, under three orders.</summary>
internal static class DayTrial
{
    private const double Day = 86_400;
    private const double Hour = 3_600;

    public static async Task<JsonObject> RunAsync(Scenario farm, double load, FigureReport report, CancellationToken cancellationToken)
    {
        var jobs = (int)(load * farm.Capacity * Day);
        var told = new JsonArray();
        var outcomes = new List<Outcome>();
        foreach (var order in Orders(farm))
        {
            var outcome = await farm.RunAsync(order, jobs, Day, daily: true, cancellationToken);
            outcomes.Add(outcome);
            told.Add(Scenario.Tell(outcome, report));
        }

        var (own, plain) = (outcomes[0], outcomes[1]);
        report.Check(
            "keys that ask for little wait no longer than first come, first served has them wait",
            own.ByDemand.Light.P95 <= Math.Max(1, plain.ByDemand.Light.P95),
            $"{Scenario.Seconds(own.ByDemand.Light.P95)} against {Scenario.Seconds(plain.ByDemand.Light.P95)}, p95"
        );
        report.Check(
            "no video waits for longer than half a day",
            own.LongestWait <= Day / 2,
            Scenario.Seconds(own.LongestWait)
        );
        if (farm.Plots is { } folder)
        {
            QueuePlot.Save(
                Path.Combine(folder, "waiting.svg"),
                $"Videos that wait ({farm.CardCount} cards, load {load}, seed {farm.Seed})",
                "videos",
                outcomes.Select(outcome => (outcome.Queue, outcome.Samples.Select(sample => (sample.At, (double)sample.Waiting))))
            );
            QueuePlot.Save(
                Path.Combine(folder, "waits.svg"),
                "p95 of the wait, by the hour of submission",
                "minutes",
                outcomes.Select(outcome => (outcome.Queue, ByHour(outcome)))
            );
        }

        return new JsonObject { ["load"] = load, ["orders"] = told };
    }

    private static IEnumerable<Func<CardPark, IJobQueue>> Orders(Scenario farm) =>
        [park => new FarmOrder(park), _ => new PlainQueue(), park => new ClassPools(park, farm.Videos)];

    private static IEnumerable<(double At, double Value)> ByHour(Outcome outcome) =>
        outcome
            .Jobs.GroupBy(job => Math.Floor(job.SubmittedAt / Hour))
            .OrderBy(hour => hour.Key)
            .Select(hour => ((hour.Key + 0.5) * Hour, Waits.Of([.. hour], Day).P95 / 60));
}
