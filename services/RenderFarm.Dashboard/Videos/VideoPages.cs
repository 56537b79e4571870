using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.Videos;

/// <summary>The list, one video, and what can be done to it.</summary>
internal static class VideoPages
{
    public static void MapVideoPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/videos", ListAsync);
        pages.MapGet("/videos/{id}", ShowAsync);
        pages.MapGet("/videos/{id}/item", ItemAsync);
        pages.MapPost("/videos/{id}/cancel", (string id, HttpContext context, IFarm farm) => ActAsync("cancel", id, context, farm));
        pages.MapPost("/videos/{id}/retry", (string id, HttpContext context, IFarm farm) => ActAsync("retry", id, context, farm));
        pages.MapPost("/videos/{id}/undelete", (string id, HttpContext context, IFarm farm) => ActAsync("undelete", id, context, farm));
        pages.MapPost("/videos/{id}/delete", DeleteAsync);
        pages.MapPost("/videos/{id}/remix", RemixAsync);
        pages.MapPost("/videos/{id}/star", StarAsync);
        pages.MapPost("/videos/{id}/tag", TagAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var filter = VideoFilter.Of(context.Request.Query);
        var videos = await page.Visitor.GetAsync<ListRecord<VideoRecord>>(filter.Operation);
        return await renderer.DrawAsync<VideosPage>(
            page,
            new()
            {
                ["Filter"] = filter,
                ["Videos"] = videos,
                ["Deleted"] = context.Request.Query["deleted"].ToString() is { Length: > 0 } deleted ? deleted : null,
                ["Batch"] = filter["batch"] is { } batch
                    ? await page.Visitor.FindAsync<BatchProgressRecord>($"/v1/batches/{Uri.EscapeDataString(batch)}")
                    : null,
                // Asked only where there is nothing else to show
                ["Models"] = videos.Data.Count == 0 && filter.IsEmpty
                    ? (await page.Visitor.GetAsync<ListRecord<ModelRecord>>("/v1/models")).Data
                    : [],
            }
        );
    }

    private static async Task<IResult> ShowAsync(string id, string? with, HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var video = await page.Visitor.GetAsync<VideoRecord>($"/v1/videos/{Uri.EscapeDataString(id)}");
        var attempts = await page.Visitor.GetAsync<ListRecord<AttemptRecord>>($"/v1/videos/{Uri.EscapeDataString(id)}/attempts");
        return await renderer.DrawAsync<VideoPage>(
            page,
            new()
            {
                ["Video"] = video,
                ["Attempts"] = attempts.Data,
                ["Other"] = string.IsNullOrEmpty(with)
                    ? null
                    : await page.Visitor.FindAsync<VideoRecord>($"/v1/videos/{Uri.EscapeDataString(with)}"),
            }
        );
    }

    /// <summary>One place of the list anew, for a script that has heard of a change.</summary>
    private static async Task<IResult> ItemAsync(string id, string? view, HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var video = await page.Visitor.FindAsync<VideoRecord>($"/v1/videos/{Uri.EscapeDataString(id)}");
        return video is null ? Results.NotFound()
            : view == "table" ? await renderer.DrawAsync<VideoRow>(page, new() { ["Video"] = video })
            : await renderer.DrawAsync<VideoCard>(page, new() { ["Video"] = video });
    }

    private static async Task<IResult> ActAsync(string verb, string id, HttpContext context, IFarm farm)
    {
        var visitor = new Visitor(farm, context);
        await visitor.ChangeAsync<VideoRecord>(HttpMethods.Post, $"/v1/videos/{Uri.EscapeDataString(id)}/{verb}");
        return await Back.ToAsync(context, $"/videos/{id}");
    }

    private static async Task<IResult> DeleteAsync(string id, HttpContext context, IFarm farm)
    {
        var visitor = new Visitor(farm, context);
        await visitor.ChangeAsync<object>(HttpMethods.Delete, $"/v1/videos/{Uri.EscapeDataString(id)}");
        return Back.To($"/videos?deleted={id}");
    }

    private static async Task<IResult> StarAsync(string id, HttpContext context, IFarm farm)
    {
        var visitor = new Visitor(farm, context);
        var video = await visitor.GetAsync<VideoRecord>($"/v1/videos/{Uri.EscapeDataString(id)}");
        return await MarkAsync(visitor, video.Id, VideoRecord.Star, video.IsStarred ? null : "true");
    }

    /// <summary><c>sea</c>, or <c>client=north</c>.</summary>
    private static async Task<IResult> TagAsync(string id, HttpContext context, IFarm farm)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var pair = form["tag"].ToString().Split('=', 2, StringSplitOptions.TrimEntries);
        return await MarkAsync(new Visitor(farm, context), id, pair[0], pair.Length > 1 ? pair[1] : "true");
    }

    private static async Task<IResult> MarkAsync(Visitor visitor, string id, string tag, string? value)
    {
        await visitor.ChangeAsync<VideoRecord>(
            HttpMethods.Patch,
            $"/v1/videos/{Uri.EscapeDataString(id)}",
            new JsonObject { ["metadata"] = new JsonObject { [tag] = value } }
        );
        return await Back.ToAsync(visitor.Context, $"/videos/{id}");
    }

    private static async Task<IResult> RemixAsync(string id, HttpContext context, IFarm farm)
    {
        var visitor = new Visitor(farm, context);
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var made = await visitor.ChangeAsync<VideoRecord>(
            HttpMethods.Post,
            $"/v1/videos/{Uri.EscapeDataString(id)}/remix",
            new JsonObject { ["prompt"] = form["prompt"].ToString() }
        );
        return Back.To($"/videos/{made.Id}");
    }
}
