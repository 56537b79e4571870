using System.Text.Json.Nodes;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary><c>POST /v1/videos</c>: the most that is taken in a second, and how long one waits at half of that.</summary>
internal static class CreatePart
{
    private const int Clients = 32;

    public static async Task<Findings> MeasureAsync(ApiOptions options)
    {
        await using var api = await ApiFarm.StartAsync();
        await Load.WarmUpAsync(Clients, number => api.CreateAsync(-number));
        var most = await Load.ClosedAsync(Clients, options.Time, api.CreateAsync);
        var half = await Load.SteadyAsync(options.Rate ?? most.PerSecond / 2, options.Time, number => api.CreateAsync(10_000_000 + number));
        return new Findings(
            [
                Figure.Least("create, requests a second", most.PerSecond, "/s", 500),
                Figure.Most($"create at {half.PerSecond:0}/s, p99", half.P99, "ms", 50),
                Figure.Most("create, not answered 200", most.Failed + half.Failed, "requests", 0),
            ],
            new JsonObject
            {
                ["clients"] = Clients,
                ["most"] = most.ToJson(),
                ["at_half"] = half.ToJson(),
                ["store"] = await api.DurabilityAsync(),
            }
        );
    }
}
