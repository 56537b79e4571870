using System.Text.Json.Nodes;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// <c>GET /v1/videos</c> with a million rows: pages of the largest size, from anywhere, in either order, for a user and for an
/// operator.
/// </summary>
internal static class ListPart
{
    private const int Clients = 2;
    private const int Marks = 5_000;

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
        }
        details["store"] = await api.DurabilityAsync();
        return new Findings(figures, details);
    }
}
