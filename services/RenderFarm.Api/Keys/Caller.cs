using System.Security.Claims;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary>Whoever holds the API key of this request.</summary>
public sealed record Caller(string KeyId, KeyScopes Scopes, int PriorityCeiling)
{
    /// <summary>Operators see everybody's videos; to anyone else a foreign id does not exist.</summary>
    public JobScope Sees => Scopes.HasFlag(KeyScopes.Admin) ? JobScope.All : JobScope.OfKey(KeyId);

    public bool May(string scope) =>
        Scopes.HasFlag(Keys.Scopes.Flag(scope)) || (Scopes.HasFlag(KeyScopes.Admin) && scope is Keys.Scopes.Submit or Keys.Scopes.Read);
}

public sealed class CallerIdentity(Caller caller) : ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, caller.KeyId)], "Bearer")
{
    public Caller Caller { get; } = caller;
}

public static class CallerOfRequest
{
    public static Caller Caller(this HttpContext context) => ((CallerIdentity)context.User.Identity!).Caller;
}
