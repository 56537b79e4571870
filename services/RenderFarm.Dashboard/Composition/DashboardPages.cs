using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Dashboard.Assets;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Farm;
using RenderFarm.Dashboard.Frame;
using RenderFarm.Dashboard.Making;
using RenderFarm.Dashboard.SignIn;
using RenderFarm.Dashboard.Videos;

namespace RenderFarm.Dashboard.Composition;

/// <summary>The page as a list: what there is at which address. The host brings <see cref="IFarm"/>.</summary>
public static class DashboardPages
{
    public static void AddDashboard(this IServiceCollection services)
    {
        services.AddSingleton<WebAssets>();
        services.AddSingleton<PageRenderer>();
    }

    public static void MapDashboard(this IEndpointRouteBuilder routes)
    {
        routes
            .MapGet(
                WebAssets.Root + "{address}",
                (string address, WebAssets assets, HttpContext context) => assets.Serve(address, context)
            )
            .ExcludeFromDescription();
        var pages = routes.MapGroup("").WithMetadata(new PagePolicy()).AddEndpointFilter<RefusalPages>().ExcludeFromDescription();
        pages.MapGet("/", () => Results.Redirect("/videos"));
        pages.MapSignInPage();
        pages.MapQueueLine();
        pages.MapVideoPages();
        pages.MapPickedPages();
        pages.MapMakingPages();
        pages.MapFarmPages();
    }
}
