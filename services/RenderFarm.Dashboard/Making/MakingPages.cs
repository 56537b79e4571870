using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.Making;

/// <summary>A new video, or many: the form, what it would cost, and sending it.</summary>
internal static class MakingPages
{
    /// <summary>Two pictures and the longest prompt.</summary>
    private const long MostBytes = 42L << 20;

    public static void MapMakingPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/new", FormAsync);
        pages.MapPost("/new", SendAsync).WithMetadata(new FormLimit());
        pages.MapPost("/new/plan", PlanAsync).WithMetadata(new FormLimit());
    }

    private static async Task<IResult> FormAsync(string? from, HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var order = Order.Of(context.Request.Query);
        if (!string.IsNullOrEmpty(from))
        {
            order = Order.From(await page.Visitor.GetAsync<VideoRecord>($"/v1/videos/{Uri.EscapeDataString(from)}"));
        }

        return await DrawAsync(page, renderer, order, null);
    }

    private static async Task<IResult> SendAsync(HttpContext context, PageRenderer renderer)
    {
        var order = await Order.ReadAsync(context.Request);
        var page = await renderer.BeginAsync(context);
        var visitor = page.Visitor;
        try
        {
            if (order["act"] == "plan")
            {
                return await DrawAsync(page, renderer, order, null, await Outlook.AskAsync(visitor, order));
            }

            if (order.IsBatch)
            {
                var batch = await visitor.ChangeAsync<BatchRecord>(
                    HttpMethods.Post,
                    "/v1/batches",
                    order.Batch(() => Random.Shared.NextInt64(1, int.MaxValue))
                );
                return Back.To($"/videos?batch={batch.Id}");
            }

            var video = await visitor.ChangeAsync<VideoRecord>(HttpMethods.Post, "/v1/videos", order.Video());
            return Back.To($"/videos/{video.Id}");
        }
        catch (FarmRefusalException e)
        {
            return await DrawAsync(page, renderer, order, e.Refusal);
        }
    }

    /// <summary>What a script puts below the prompt while somebody types.</summary>
    private static async Task<IResult> PlanAsync(HttpContext context, PageRenderer renderer)
    {
        var order = await Order.ReadAsync(context.Request);
        var page = await renderer.BeginAsync(context);
        return await renderer.DrawAsync<OutlookLine>(
            page,
            new() { ["Outlook"] = await Outlook.AskAsync(page.Visitor, order), ["Order"] = order }
        );
    }

    private static async Task<IResult> DrawAsync(
        PageContext page,
        PageRenderer renderer,
        Order order,
        FarmRefusal? refusal,
        Outlook? outlook = null
    )
    {
        var models = await page.Visitor.GetAsync<ListRecord<ModelRecord>>("/v1/models");
        return await renderer.DrawAsync<NewPage>(
            page,
            new()
            {
                ["Order"] = order,
                ["Models"] = models.Data,
                ["Refusal"] = refusal,
                ["Outlook"] = outlook,
            },
            refusal?.Status ?? StatusCodes.Status200OK
        );
    }

    private sealed class FormLimit : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => MostBytes;
    }
}
