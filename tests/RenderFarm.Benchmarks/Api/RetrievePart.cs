using System.Text.Json.Nodes;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// <c>GET /v1/videos/{id}</c> against an endpoint that selects one row by its key and returns some of it, on the same
/// database, in turns. Half of the videos wait in the queue, half are completed.
/// </summary>
internal static class RetrievePart
{
    private const int Clients = 16;
    private const int Videos = 10_000;
    private const int Rounds = 3;

    public static async Task<Findings> MeasureAsync(ApiOptions options)
    {
        await using var api = await ApiFarm.StartAsync();
        await JobsTable.FillAsync(api, Videos, completed: 2);
        var ids = await JobsTable.SomeIdsAsync(api, Videos);
        await using var bare = await BareEndpoint.StartAsync(api.ConnectionString, api.Farm.Home);
        Task<bool> Retrieve(int number) => api.GetAsync("/v1/videos/" + ids[number % ids.Count]);
        Task<bool> Select(int number) => api.GetAsync(bare.Url + "/rows/" + ids[number % ids.Count]);

        await Load.WarmUpAsync(Clients, Retrieve);
        await Load.WarmUpAsync(Clients, Select);
        var (ours, theirs) = (new List<Sample>(), new List<Sample>());
        for (var round = 0; round < Rounds; round++)
        {
            theirs.Add(await Load.ClosedAsync(Clients, options.Time / Rounds, Select));
            ours.Add(await Load.ClosedAsync(Clients, options.Time / Rounds, Retrieve));
        }
        var (retrieve, select) = (ours.Average(sample => sample.PerSecond), theirs.Average(sample => sample.PerSecond));
        var half = await Load.SteadyAsync(options.Rate ?? retrieve / 2, options.Time, Retrieve);
        return new Findings(
            [
                Figure.Least("retrieve, share of a bare one-row select", retrieve / select * 100, "%", 50),
                Figure.Most($"retrieve at {half.PerSecond:0}/s, p99", half.P99, "ms", 50),
                Figure.Most("retrieve, not answered 200", ours.Concat(theirs).Append(half).Sum(sample => sample.Failed), "requests", 0),
            ],
            new JsonObject
            {
                ["clients"] = Clients,
                ["videos"] = Videos,
                ["retrieve_per_second"] = Math.Round(retrieve),
                ["bare_per_second"] = Math.Round(select),
                ["retrieve"] = new JsonArray([.. ours.Select(sample => sample.ToJson())]),
                ["bare"] = new JsonArray([.. theirs.Select(sample => sample.ToJson())]),
                ["at_half"] = half.ToJson(),
                ["store"] = await api.DurabilityAsync(),
            }
        );
    }
}
