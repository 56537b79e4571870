using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.SignIn;

internal static class SignInPages
{
    public static void MapSignInPage(this IEndpointRouteBuilder pages) =>
        pages.MapGet(
            "/sign-in",
            (string? code, string? refused, string? next, HttpContext context, PageRenderer renderer) =>
                renderer.DrawAsync<SignInPage>(
                    renderer.BeginForAnybody(context),
                    new()
                    {
                        ["Code"] = code,
                        ["Refused"] = refused,
                        ["Next"] = next,
                    }
                )
        );
}
