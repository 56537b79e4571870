using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Sessions;

namespace RenderFarm.Api.Sessions;

/// <summary>
/// <c>POST /sign-in</c> and <c>/sign-out</c>, for forms: they answer with where to go next. What is wrong is a word in the address of
/// the sign-in page, which has the sentence for it.
/// </summary>
internal static class SignIn
{
    private const string Page = "/sign-in";
    private const int LongestAnswer = 4_096;

    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Page, InAsync).WithBodyLimit(LongestAnswer).ExcludeFromDescription();
        routes.MapPost("/sign-out", OutAsync).WithBodyLimit(LongestAnswer).ExcludeFromDescription();
    }

    private static async Task<IResult> InAsync(HttpContext context, ApiKeys keys, PageSessions sessions, WrongKeys wrong)
    {
        var (address, cancellationToken) = (context.Connection.RemoteIpAddress, context.RequestAborted);
        if (!PageCookie.ComesFromHere(context.Request) || !context.Request.HasFormContentType)
        {
            return Back("page", null);
        }

        var form = await context.Request.ReadFormAsync(cancellationToken);
        var next = NextOf(form["next"].ToString());
        if (wrong.RefusalOf(address) is not null)
        {
            return Back("often", next);
        }

        OpenedSession? session;
        if (form["code"].ToString() is { Length: > 0 } code)
        {
            session = await sessions.OpenByCodeAsync(code.Trim(), cancellationToken);
        }
        else
        {
            var key = await keys.AuthenticateAsync(form["key"].ToString().Trim(), cancellationToken);
            if (key is not null && !key.Allows(KeyScopes.Read))
            {
                return Back("scope", next);
            }

            session = key is null ? null : await sessions.OpenAsync(key, cancellationToken);
        }

        if (session is null)
        {
            wrong.Note(address);
            return Back(form.ContainsKey("code") ? "code" : "key", next);
        }

        PageCookie.Give(context, session.Secret, session.ExpiresAt);
        return To(next);
    }

    private static async Task<IResult> OutAsync(HttpContext context, PageSessions sessions)
    {
        // Whoever holds the cookie may end it; from elsewhere it is not sent with a POST.
        if (PageCookie.Of(context.Request) is { } secret)
        {
            await sessions.CloseAsync(secret, context.RequestAborted);
            PageCookie.Take(context);
        }

        return To(Page);
    }

    private static IResult Back(string why, string? next) =>
        To(Page + new QueryString().Add("refused", why).Add("next", next ?? "/").ToUriComponent());

    /// <summary>A path of this farm and nothing else: <c>//elsewhere</c> would be another host.</summary>
    private static string NextOf(string wish) => wish is ['/', not '/' and not '\\', ..] && !wish.Any(char.IsControl) ? wish : "/";

    private static IResult To(string path) => new SeeOther(path);

    /// <summary>303: the answer to a form is another page, whatever the method was.</summary>
    private sealed class SeeOther(string path) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = path;
            return Task.CompletedTask;
        }
    }
}
