using Microsoft.AspNetCore.Authorization;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary>What an API key may do, in the words of the wire; also the names of the endpoints' policies.</summary>
internal static class Scopes
{
    public static readonly string Submit = Word.Of(KeyScopes.Submit);
    public static readonly string Read = Word.Of(KeyScopes.Read);
    public static readonly string Admin = Word.Of(KeyScopes.Admin);
    public static readonly string Worker = Word.Of(KeyScopes.Worker);

    public static readonly string[] All = [Submit, Read, Admin, Worker];

    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(scope);

    public static void AddScopePolicies(this AuthorizationBuilder authorization)
    {
        foreach (var scope in All)
        {
            authorization.AddPolicy(scope, policy => policy.AddRequirements(new ScopeRequirement(scope)));
        }
    }

    /// <param name="words">Each one of <see cref="All"/>.</param>
    public static KeyScopes Parse(IEnumerable<string> words) => words.Aggregate(default(KeyScopes), (scopes, word) => scopes | Flag(word));

    public static IReadOnlyList<string> Words(KeyScopes scopes) => [.. All.Where(word => scopes.HasFlag(Flag(word)))];

    public static KeyScopes Flag(string word) => Word.Parse<KeyScopes>(word);
}

/// <summary>The key holds the scope.</summary>
internal sealed class ScopeRequirement(string scope) : AuthorizationHandler<ScopeRequirement>, IAuthorizationRequirement
{
    public string Scope { get; } = scope;

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        if (context.User.Identity is CallerIdentity { Key: var key } && key.Allows(Scopes.Flag(requirement.Scope)))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }
}
