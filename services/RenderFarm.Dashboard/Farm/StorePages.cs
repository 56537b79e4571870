using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.Farm;

/// <summary>What is stored and belongs to nothing; the settings in force.</summary>
internal static class StorePages
{
    private const string Strangers = "/v1/audit/artifacts";

    public static void MapStorePages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/farm/store", ShowAsync);
        pages.MapPost("/farm/store/remove", RemoveAsync);
        pages.MapGet("/farm/settings", SettingsAsync);
    }

    private static async Task<IResult> ShowAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        return await renderer.DrawAsync<StorePage>(
            page,
            new() { ["Strangers"] = await page.Visitor.GetAsync<ListRecord<StrangerRecord>>(Strangers) }
        );
    }

    private static async Task<IResult> RemoveAsync(HttpContext context, IFarm farm)
    {
        await new Visitor(farm, context).ChangeAsync<object>(HttpMethods.Delete, Strangers);
        return Back.To("/farm/store");
    }

    private static async Task<IResult> SettingsAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        return await renderer.DrawAsync<SettingsPage>(
            page,
            new() { ["Settings"] = (await page.Visitor.GetAsync<SettingsRecord>("/v1/settings")).Data }
        );
    }
}
