using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Frame;

internal static class QueueLinePages
{
    public static void MapQueueLine(this IEndpointRouteBuilder pages) =>
        pages.MapGet(
            "/queue-line",
            async (HttpContext context, PageRenderer renderer) =>
            {
                var page = await renderer.BeginAsync(context);
                return await renderer.DrawAsync<QueueLine>(
                    page,
                    new()
                    {
                        ["Queue"] = await page.Visitor.GetAsync<QueueRecord>("/v1/queue"),
                        ["Crew"] = await page.Visitor.GetAsync<CrewRecord>("/v1/workers"),
                    }
                );
            }
        );
}
