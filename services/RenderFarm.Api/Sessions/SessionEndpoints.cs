using RenderFarm.Api.Keys;
using RenderFarm.Jobs.Sessions;

namespace RenderFarm.Api.Sessions;

/// <summary><c>/v1/session</c>: who is asking, and how a browser comes to be signed in without the key.</summary>
internal static class SessionEndpoints
{
    public static void MapSession(this IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/v1/session").WithTags("Session").RequireScope(Scopes.Read);
        session
            .MapGet("/", ShowAsync)
            .WithSummary("The key that this request is made with: its name, what it may do, and until when a browser is signed in")
            .Produces<SessionView>();
        session
            .MapPost("/codes", CreateCodeAsync)
            .WithSummary("A code that signs a browser in with this key, once, within ten minutes")
            .Produces<CodeView>();
    }

    private static async Task<SessionView> ShowAsync(HttpContext context, PageSessions sessions, CancellationToken cancellationToken)
    {
        var caller = context.Caller();
        var cookie = context.Request.Headers.Authorization.Count == 0 ? PageCookie.Of(context.Request) : null;
        var session = cookie is null ? null : await sessions.FindAsync(cookie, cancellationToken);
        return new SessionView(caller.Id, caller.Name, Scopes.Words(caller.Scopes), caller.PriorityCeiling)
        {
            ExpiresAt = session?.ExpiresAt.ToUnixTimeSeconds(),
            Csrf = cookie is null ? null : PageCookie.CsrfOf(cookie),
        };
    }

    private static async Task<CodeView> CreateCodeAsync(HttpContext context, PageSessions sessions, CancellationToken cancellationToken)
    {
        var made = await sessions.CreateCodeAsync(context.Caller(), cancellationToken);
        return new CodeView(made.Code, $"/sign-in?code={made.Code}", made.ExpiresAt.ToUnixTimeSeconds());
    }
}

internal sealed record SessionView(string KeyId, string Name, IReadOnlyList<string> Scopes, int PriorityCeiling)
{
    public string Object { get; } = "session";

    /// <summary>When the browser has to sign in again; null for a request with a key.</summary>
    public long? ExpiresAt { get; init; }

    /// <summary>For the header <c>x-renderfarm-csrf</c>; null for a request with a key, which needs none.</summary>
    public string? Csrf { get; init; }
}

/// <param name="Path">At this farm; opening it shows a button, and the button spends the code.</param>
internal sealed record CodeView(string Code, string Path, long ExpiresAt)
{
    public string Object { get; } = "session.code";
}
