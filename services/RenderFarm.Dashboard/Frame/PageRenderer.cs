using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RenderFarm.Dashboard.Assets;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Texts;

namespace RenderFarm.Dashboard.Frame;

/// <summary>Draws a component as a page, or as the part of one that a script puts in its place. Static: nothing of it stays here.</summary>
internal sealed class PageRenderer(IFarm farm, WebAssets assets, TimeProvider time, IServiceProvider services, ILoggerFactory loggers)
{
    /// <summary>For a page that only those see who are signed in.</summary>
    /// <exception cref="FarmRefusalException">401: nobody is.</exception>
    public async Task<PageContext> BeginAsync(HttpContext context)
    {
        var visitor = new Visitor(farm, context);
        return Of(visitor, await visitor.GetAsync<SessionRecord>("/v1/session"));
    }

    /// <summary>For a page that anybody sees.</summary>
    public PageContext BeginForAnybody(HttpContext context) => Of(new Visitor(farm, context), null);

    /// <param name="page">Also the component's parameter <c>Page</c>.</param>
    /// <param name="parameters">The component's others.</param>
    /// <param name="status">Of the answer.</param>
    public async Task<IResult> DrawAsync<TComponent>(
        PageContext page,
        Dictionary<string, object?>? parameters = null,
        int status = StatusCodes.Status200OK
    )
        where TComponent : IComponent
    {
        await using var renderer = new HtmlRenderer(services, loggers);
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var drawn = await renderer.RenderComponentAsync<TComponent>(
                ParameterView.FromDictionary(new Dictionary<string, object?>(parameters ?? []) { ["Page"] = page })
            );
            return drawn.ToHtmlString();
        });
        return new Drawn(html, status);
    }

    private PageContext Of(Visitor visitor, SessionRecord? session) =>
        new(visitor, session, PageTexts.For(visitor.Context.Request.Headers.AcceptLanguage.ToString()), assets, time.GetUtcNow());

    private sealed class Drawn(string html, int status) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var (response, bytes) = (httpContext.Response, Encoding.UTF8.GetBytes(html));
            response.StatusCode = status;
            response.ContentType = "text/html; charset=utf-8";
            // What it shows is one visitor's; going back asks again.
            response.Headers.CacheControl = "private, no-cache";
            response.Headers.Vary = "Accept-Encoding, Accept-Language, Cookie";
            response.Headers["Referrer-Policy"] = "same-origin";
            if (!httpContext.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal))
            {
                await response.Body.WriteAsync(bytes, httpContext.RequestAborted);
                return;
            }

            response.Headers.ContentEncoding = "br";
            await using var packed = new BrotliStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await packed.WriteAsync(bytes, httpContext.RequestAborted);
        }
    }
}
