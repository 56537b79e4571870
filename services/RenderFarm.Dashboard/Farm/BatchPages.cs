using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.Farm;

/// <summary>Batches: how they fare, what of them failed and why, and those again.</summary>
internal static class BatchPages
{
    private const int Shown = 20;

    /// <summary>Failed videos of a batch that are looked at for their reasons.</summary>
    private const int Looked = 100;

    public static void MapBatchPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/farm/batches", ListAsync);
        pages.MapPost("/farm/batches/{id}/cancel", CancelAsync);
        pages.MapPost("/farm/batches/{id}/retry", RetryAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var after = context.Request.Query["after"].ToString();
        var batches = await page.Visitor.GetAsync<ListRecord<FarmBatchRecord>>(
            string.Create(CultureInfo.InvariantCulture, $"/v1/batches?limit={Shown}")
                + (after.Length > 0 ? $"&after={Uri.EscapeDataString(after)}" : "")
        );
        var reasons = new Dictionary<string, FailureReasons>();
        foreach (var batch in batches.Data.Where(batch => batch.Counts.Failed > 0))
        {
            var failed = await page.Visitor.GetAsync<ListRecord<VideoRecord>>(
                string.Create(CultureInfo.InvariantCulture, $"/v1/videos?batch={batch.Id}&status=failed&limit={Looked}")
            );
            reasons[batch.Id] = FailureReasons.Of(failed);
        }

        return await renderer.DrawAsync<BatchesPage>(page, new() { ["Batches"] = batches, ["Reasons"] = reasons });
    }

    private static async Task<IResult> CancelAsync(string id, HttpContext context, IFarm farm)
    {
        await new Visitor(farm, context).ChangeAsync<object>(HttpMethods.Post, $"/v1/batches/{Uri.EscapeDataString(id)}/cancel");
        return await Back.ToAsync(context, "/farm/batches");
    }

    private static async Task<IResult> RetryAsync(string id, HttpContext context, IFarm farm)
    {
        var code = (await context.Request.ReadFormAsync(context.RequestAborted))["error_code"].ToString();
        var filter = new JsonObject { ["batch"] = id, ["status"] = "failed" };
        if (code.Length > 0)
        {
            filter["error_code"] = code;
        }

        var retried = await new Visitor(farm, context).ChangeAsync<BulkRecord>(
            HttpMethods.Post,
            "/v1/videos/bulk",
            new JsonObject { ["action"] = "retry", ["filter"] = filter }
        );
        return Back.To(string.Create(CultureInfo.InvariantCulture, $"/farm/batches?retried={retried.Done}&of={retried.Matched}"));
    }
}

/// <summary>Why videos failed, the most frequent reason first.</summary>
/// <param name="IsAll">False: there are more than were looked at.</param>
public sealed record FailureReasons(IReadOnlyList<(string Code, int Count, VideoRecord One)> Groups, bool IsAll)
{
    public static FailureReasons Of(ListRecord<VideoRecord> failed) =>
        new(
            [
                .. failed
                    .Data.GroupBy(video => video.Error?.Code ?? "failed")
                    .Select(group => (group.Key, group.Count(), group.First()))
                    .OrderByDescending(group => group.Item2),
            ],
            !failed.HasMore
        );
}
