using System.Security.Claims;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary>Whoever holds the API key of a request.</summary>
internal sealed class CallerIdentity(ApiKey key)
    : ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, key.Id)], ApiKeyAuthentication.SchemeName)
{
    public ApiKey Key { get; } = key;
}

internal static class CallerOfRequest
{
    /// <summary>Only where a scope is required; there it always has a value.</summary>
    public static ApiKey Caller(this HttpContext context) => ((CallerIdentity)context.User.Identity!).Key;
}
