using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Api.Pages;

/// <summary>
/// What the page asks of the farm goes the way that every request goes, from the first refusal to the handler, without a socket between:
/// the visitor's cookie is what it is judged by.
/// </summary>
internal sealed class FarmCalls(IServiceScopeFactory scopes) : IFarm
{
    private RequestDelegate? _way;

    /// <summary>Said once, when the way is laid.</summary>
    public void Through(RequestDelegate way) => _way = way;

    public async Task<FarmAnswer> SendAsync(HttpContext visitor, FarmCall call, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        using var written = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider, RequestAborted = cancellationToken };
        context.TraceIdentifier = visitor.TraceIdentifier;
        context.Features.Set<IHttpMaxRequestBodySizeFeature>(new BodySize());
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(written));
        var (mine, theirs) = (context.Connection, visitor.Connection);
        (mine.LocalIpAddress, mine.LocalPort) = (theirs.LocalIpAddress, theirs.LocalPort);
        (mine.RemoteIpAddress, mine.RemotePort) = (theirs.RemoteIpAddress, theirs.RemotePort);
        Address(context.Request, visitor.Request, call);
        await _way!(context);
        await context.Response.CompleteAsync();
        return new FarmAnswer(context.Response.StatusCode, BodyOf(written));
    }

    private static void Address(HttpRequest request, HttpRequest visitor, FarmCall call)
    {
        var query = call.Path.IndexOf('?', StringComparison.Ordinal);
        request.Method = call.Method;
        request.Protocol = visitor.Protocol;
        (request.Scheme, request.Host) = (visitor.Scheme, visitor.Host);
        request.Path = PathString.FromUriComponent(query < 0 ? call.Path : call.Path[..query]);
        request.QueryString = query < 0 ? QueryString.Empty : QueryString.FromUriComponent(call.Path[query..]);
        // What says who the visitor is and whence they come; nothing of what their own request was about.
        foreach (var name in (string[])[HeaderNames.Cookie, HeaderNames.Origin, "Sec-Fetch-Site", HeaderNames.UserAgent])
        {
            if (visitor.Headers.TryGetValue(name, out var values))
            {
                request.Headers[name] = values;
            }
        }

        if (call.Csrf is not null)
        {
            request.Headers[PageCookie.CsrfHeader] = call.Csrf;
        }

        if (call.Body is not null)
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(call.Body, ErrorWriter.Json);
            request.ContentType = "application/json";
            request.ContentLength = body.Length;
            request.Body = new MemoryStream(body);
        }
    }

    /// <summary>The operation's own limit, which it sets and reads.</summary>
    private sealed class BodySize : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;
        public long? MaxRequestBodySize { get; set; }
    }

    private static JsonElement BodyOf(MemoryStream written)
    {
        if (written.Length == 0)
        {
            return default;
        }

        using var document = JsonDocument.Parse(written.GetBuffer().AsMemory(0, (int)written.Length));
        return document.RootElement.Clone();
    }
}
