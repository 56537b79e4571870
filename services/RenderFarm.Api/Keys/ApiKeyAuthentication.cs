using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Sessions;

namespace RenderFarm.Api.Keys;

/// <summary><c>Authorization: Bearer rf_…</c>, or else the cookie of a browser that is signed in.</summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    ApiKeys keys,
    WrongKeys wrong,
    PageSessions sessions
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Bearer";
    private const string Prefix = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return PageCookie.Of(Request) is { } cookie ? await OfSessionAsync(cookie) : AuthenticateResult.NoResult();
        }

        var (secret, address) = (header[Prefix.Length..].Trim(), Context.Connection.RemoteIpAddress);
        if (wrong.RefusalOf(address) is { } refusal && !keys.Remembers(secret))
        {
            return AuthenticateResult.Fail(ApiError.TooManyWrongKeys(refusal.Limit, refusal.NextIn).AsException());
        }

        var key = await keys.AuthenticateAsync(secret, Context.RequestAborted);
        if (key is null)
        {
            wrong.Note(address);
            return AuthenticateResult.Fail(
                (
                    await keys.IsRevokedAsync(secret, Context.RequestAborted)
                        ? ApiError.KeyRevoked()
                        : ApiError.InvalidApiKey("This API key is unknown here.")
                ).AsException()
            );
        }

        return Success(key);
    }

    private async Task<AuthenticateResult> OfSessionAsync(string cookie)
    {
        if (await sessions.FindAsync(cookie, Context.RequestAborted) is not { Key: var key })
        {
            return AuthenticateResult.Fail(ApiError.SessionOver().AsException());
        }

        return HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method) || PageCookie.IsOfThePage(Request, cookie)
            ? Success(key)
            : AuthenticateResult.Fail(ApiError.NotFromThePage(PageCookie.CsrfHeader).AsException());
    }

    private AuthenticateResult Success(ApiKey key) =>
        AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new CallerIdentity(key)), Scheme.Name));
}

/// <summary>Says 401 and 403 in the body that every other refusal has.</summary>
internal sealed class ScopeRefusals : IAuthorizationMiddlewareResultHandler
{
    public async Task HandleAsync(
        RequestDelegate next,
        HttpContext context,
        AuthorizationPolicy policy,
        PolicyAuthorizationResult authorizeResult
    )
    {
        if (authorizeResult.Challenged)
        {
            context.Response.Headers.WWWAuthenticate = ApiKeyAuthentication.SchemeName;
            var attempt = await context.AuthenticateAsync();
            throw attempt.Failure as ApiErrorException
                ?? ApiError
                    .InvalidApiKey(attempt.Failure?.Message ?? "An API key is needed: send the header 'Authorization: Bearer rf_…'.")
                    .AsException();
        }

        if (authorizeResult.Forbidden)
        {
            throw ApiError.MissingScope(policy.Requirements.OfType<ScopeRequirement>().First().Scope).AsException();
        }

        await next(context);
    }
}
