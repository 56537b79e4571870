using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Composition;

namespace RenderFarm.Api.Pages;

/// <summary>The page in this process.</summary>
internal static class PagesRegistration
{
    public static void AddPages(this IServiceCollection services)
    {
        services.AddSingleton<FarmCalls>();
        services.AddSingleton<IFarm>(provider => provider.GetRequiredService<FarmCalls>());
        services.AddDashboard();
    }

    /// <summary>Here begins the way of a request that the page asks for itself; routing comes after it.</summary>
    public static void UsePageCalls(this IApplicationBuilder app) =>
        app.Use(next =>
        {
            app.ApplicationServices.GetRequiredService<FarmCalls>().Through(next);
            return next;
        });
}
