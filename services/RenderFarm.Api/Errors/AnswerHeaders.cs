using RenderFarm.Dashboard.Composition;
using Scalar.AspNetCore;

namespace RenderFarm.Api.Errors;

/// <summary>
/// What every answer tells a browser: take it for what it says it is, show it in nobody's frame, and run nothing out of it. The
/// reference page says by a nonce, drawn for each request, which scripts are its own; the farm's page has none within it.
/// </summary>
internal static class AnswerHeaders
{
    public const string NoSniff = "nosniff";

    /// <summary>For answers that are data: there is nothing to load, to run or to frame.</summary>
    public const string DataPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Before everything else, so that whoever answers (the framework too) answers with them.</summary>
    public static void UseAnswerHeaders(this IApplicationBuilder app) =>
        app.Use(
            (context, next) =>
            {
                context.Response.OnStarting(Write, context);
                return next(context);
            }
        );

    private static Task Write(object state)
    {
        var context = (HttpContext)state;
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = NoSniff;
        headers.ContentSecurityPolicy =
            context.Items.TryGetValue(ScalarOptions.NonceHttpContextItemKey, out var nonce) ? ReferencePolicy((string)nonce!)
            : context.GetEndpoint()?.Metadata.GetMetadata<PagePolicy>() is not null ? PagePolicy.Text
            : DataPolicy;
        return Task.CompletedTask;
    }

    /// <summary>Its own scripts, and what these style and fetch here; requests that a reader tries out go to this farm.</summary>
    private static string ReferencePolicy(string nonce) =>
        $"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
        + "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'";
}
