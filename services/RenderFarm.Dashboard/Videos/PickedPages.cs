using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.Videos;

/// <summary>
/// One thing done to several videos: to those that were picked at once, to all that match after they were counted and somebody has seen the
/// number.
/// </summary>
internal static class PickedPages
{
    private static readonly string[] Actions = ["cancel", "retry", "delete"];

    public static void MapPickedPages(this IEndpointRouteBuilder pages) => pages.MapPost("/videos/picked", DoAsync);

    private static async Task<IResult> DoAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (form["action"] == "compare" && form["id"] is [{ } one, { } other])
        {
            return Back.To($"/videos/{Uri.EscapeDataString(one)}?with={Uri.EscapeDataString(other)}");
        }

        var action = Actions.Contains(form["action"].ToString()) ? form["action"].ToString() : Actions[0];
        var isAll = form["all"] == "true";
        var body = new JsonObject { ["action"] = action };
        if (isAll)
        {
            var filter = JsonSerializer.Deserialize<Dictionary<string, string>>(form["filter"].ToString()) ?? [];
            if (filter.Count > 0)
            {
                body["filter"] = FilterOf(filter);
            }
            else
            {
                body["all"] = true;
            }
        }
        else
        {
            body["filter"] = new JsonObject { ["ids"] = new JsonArray([.. form["id"].Select(id => (JsonNode?)id)]) };
        }

        int? seen = int.TryParse(form["expected"], NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
        if (isAll && seen is null)
        {
            body["dry_run"] = true;
            var counted = await page.Visitor.ChangeAsync<BulkRecord>(HttpMethods.Post, "/v1/videos/bulk", body);
            return await renderer.DrawAsync<ConfirmPage>(
                page,
                new()
                {
                    ["Action"] = action,
                    ["Count"] = counted.Matched,
                    ["Filter"] = form["filter"].ToString(),
                    ["Back"] = form["back"].ToString(),
                }
            );
        }

        if (isAll)
        {
            body["expected"] = seen;
        }

        await page.Visitor.ChangeAsync<BulkRecord>(HttpMethods.Post, "/v1/videos/bulk", body);
        return await Back.ToAsync(context, "/videos");
    }

    /// <summary>As the operation has it: <c>metadata[k]</c> of an address is an object there, and times are numbers.</summary>
    private static JsonObject FilterOf(Dictionary<string, string> terms)
    {
        var filter = new JsonObject();
        var metadata = new JsonObject();
        foreach (var (name, value) in terms.Select(VideoFilter.Asked))
        {
            if (VideoFilter.IsTag(name))
            {
                metadata[name["metadata[".Length..^1]] = value;
            }
            else
            {
                filter[name] = name.StartsWith("created_", StringComparison.Ordinal)
                    && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
                    ? time
                    : value;
            }
        }

        if (metadata.Count > 0)
        {
            filter["metadata"] = metadata;
        }

        return filter;
    }

    private sealed record BulkRecord(int Matched, int Done);
}
