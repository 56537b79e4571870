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
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var filter = VideoFilter.Of(context.Request.Query);
        var videos = await page.Visitor.GetAsync<ListRecord<VideoRecord>>(filter.Operation);
        return await renderer.DrawAsync<VideosPage>(page, new() { ["Filter"] = filter, ["Videos"] = videos });
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
        return Back.To("/videos");
    }

    private static async Task<IResult> RemixAsync(string id, HttpContext context, IFarm farm)
    {
        var visitor = new Visitor(farm, context);
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var made = await visitor.ChangeAsync<VideoRecord>(
            HttpMethods.Post,
            $"/v1/videos/{Uri.EscapeDataString(id)}/remix",
            new System.Text.Json.Nodes.JsonObject { ["prompt"] = form["prompt"].ToString() }
        );
        return Back.To($"/videos/{made.Id}");
    }
}
