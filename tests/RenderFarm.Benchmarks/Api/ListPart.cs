using System.Text.Json.Nodes;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// <c>GET /v1/videos</c> with a million rows: pages of the largest size, from anywhere, in either order, and by each filter alone, for a
/// user and for an operator.
/// </summary>
internal static class ListPart
{
    private const int Clients = 2;
    private const int Marks = 5_000;

    /// <summary>Each filter alone: what many videos have, what few have, and what none has.</summary>
    private static readonly (string Name, string Filter)[] Filters =
    [
        ("status", "status=completed"),
        ("rare status", "status=queued"),
        ("status of none", "status=failed"),
        ("model", "model=tiny"),
        ("model of none", "model=other"),
        ("worker", "worker=worker_gone"),
        ("worker of none", "worker=worker_none"),
        ("batch of none", "batch=batch_none"),
        ("error code of none", "error_code=gpu_lost"),
        ("metadata", "metadata[shot]=7"),
        ("metadata of none", "metadata[shot]=none"),
        ("text", "text=wooden"),
        ("text of none", "text=needle"),
        ("time", "created_after=1000000000&created_before=4000000000"),
    ];

    public static async Task<Findings> MeasureAsync(ApiOptions options)
    {
        await using var api = await ApiFarm.StartAsync();
        await JobsTable.FillAsync(api, options.Rows, completed: 1_000);
        var ids = await JobsTable.SomeIdsAsync(api, Marks);
        var (figures, details) = (
            new List<Figure>(),
            new JsonObject
            {
                ["rows"] = options.Rows,
                ["limit"] = 100,
                ["clients"] = Clients,
            }
        );
        foreach (
            var (who, header) in new[]
            {
                ("user", api.Http.DefaultRequestHeaders.Authorization),
                ("operator", api.Farm.Http.DefaultRequestHeaders.Authorization),
            }
        )
        {
            api.Http.DefaultRequestHeaders.Authorization = header;
            foreach (var order in (string[])["desc", "asc"])
            {
                // Every hundredth is a first page
                Task<bool> Page(int number) =>
                    api.GetAsync($"/v1/videos?limit=100&order={order}" + (number % 100 == 0 ? "" : "&after=" + ids[number % ids.Count]));
                await Load.WarmUpAsync(Clients, Page);
                var pages = await Load.ClosedAsync(Clients, options.Time / 2, Page);
                figures.Add(Figure.Most($"list for a {who}, {order}, {options.Rows} rows, p99", pages.P99, "ms", 50));
                figures.Add(Figure.Most($"list for a {who}, {order}, not answered 200", pages.Failed, "requests", 0));
                details[$"{who}_{order}"] = pages.ToJson();
            }

            foreach (var (name, filter) in Filters)
            {
                Task<bool> Found(int number) =>
                    api.GetAsync($"/v1/videos?limit=20&{filter}" + (number % 4 == 0 ? "" : "&after=" + ids[number % ids.Count]));
                await Load.WarmUpAsync(Clients, Found);
                var found = await Load.ClosedAsync(Clients, options.Time / 4, Found);
                figures.Add(Figure.Most($"list for a {who} by {name}, {options.Rows} rows, p99", found.P99, "ms", 100));
                figures.Add(Figure.Most($"list for a {who} by {name}, not answered 200", found.Failed, "requests", 0));
                details[$"{who}_{name.Replace(' ', '_')}"] = found.ToJson();
            }
        }
        details["store"] = await api.DurabilityAsync();
        return new Findings(figures, details);
    }
}
