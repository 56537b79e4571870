using System.Text.Json.Nodes;
using RenderFarm.Simulation.Engine;
using RenderFarm.Simulation.Queues;
using RenderFarm.Simulation.Results;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Simulation.Trials;

/// <summary>Two hours through the lease's own statement on SQLite; the twin is asked beside it, and every choice compared.</summary>
internal static class StoreTrial
{
    private const double Seconds = 2 * 3_600;

    public static async Task<JsonObject> RunAsync(Scenario farm, int jobs, FigureReport report, CancellationToken cancellationToken)
    {
        var park = farm.NewPark();
        var store = await StoreQueue.CreateAsync(park);
        await using var both = new BothQueues(store, new FarmOrder(park));
        var arrivals = farm.Ask(jobs, Seconds, daily: false);
        var outcome = await new FarmRun(park, both, new FarmRules(), farm.Seed).RunAsync(arrivals, Seconds, cancellationToken);
        var told = Scenario.Tell(outcome, report);
        var leases = store.Leases.Select(lease => lease.Milliseconds).Order().ToList();
        var deepest = store.Leases.Max(lease => lease.Waiting);
        var deep = store.Leases.Where(lease => lease.Waiting > deepest / 2).Select(lease => lease.Milliseconds).Order().ToList();
        report.Figure("choices, each alike in store and twin", both.Choices, "");
        report.Figure("a lease, median", Waits.Percentile(leases, 0.5), "ms");
        report.Figure("a lease, p99", Waits.Percentile(leases, 0.99), "ms");
        report.Figure($"a lease with more than {deepest / 2} waiting, p99", Waits.Percentile(deep, 0.99), "ms");
        told["choices"] = both.Choices;
        told["most_waiting"] = deepest;
        return told;
    }
}
