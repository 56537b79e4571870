using Microsoft.AspNetCore.Http;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Frame;

/// <summary>What the farm refuses is said as a page: whoever is not signed in is asked to, and comes back to where they were.</summary>
internal sealed class RefusalPages(PageRenderer renderer) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (FarmRefusalException e)
        {
            var request = context.HttpContext.Request;
            if (e.Refusal.Status == StatusCodes.Status401Unauthorized && HttpMethods.IsGet(request.Method))
            {
                return Results.Redirect(
                    "/sign-in" + QueryString.Create("next", request.Path + request.QueryString.ToUriComponent()).ToUriComponent()
                );
            }

            return await renderer.DrawAsync<RefusalPage>(
                await PageOfAsync(context.HttpContext),
                new() { ["Refusal"] = e.Refusal },
                e.Refusal.Status
            );
        }
    }

    /// <summary>With the row on top for whoever is signed in, as far as the farm says who that is.</summary>
    private async Task<PageContext> PageOfAsync(HttpContext context)
    {
        try
        {
            return await renderer.BeginAsync(context);
        }
        catch (FarmRefusalException)
        {
            return renderer.BeginForAnybody(context);
        }
    }
}
