using System.Text.Json.Serialization;

namespace RenderFarm.Jobs.Keys;

/// <summary>What an API key may do.</summary>
[Flags]
public enum KeyScopes
{
    [JsonStringEnumMemberName("none")]
    None = 0,

    [JsonStringEnumMemberName("submit")]
    Submit = 1,

    [JsonStringEnumMemberName("read")]
    Read = 2,

    /// <summary>Keys, workers, and everybody's jobs; includes submit and read.</summary>
    [JsonStringEnumMemberName("admin")]
    Admin = 4,

    /// <summary>The worker protocol; nothing under <c>/v1</c>.</summary>
    [JsonStringEnumMemberName("worker")]
    Worker = 8,
}

public sealed record ApiKey
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required KeyScopes Scopes { get; init; }

    /// <summary>The one worker that it speaks for; null for a key that nobody enrolled with.</summary>
    public string? WorkerId { get; init; }

    /// <summary>The highest priority that this key may ask for.</summary>
    public required int PriorityCeiling { get; init; }
    public KeyLimits Limits { get; init; } = KeyLimits.None;

    /// <summary>What figures are told apart by; null is <see cref="ApiKeys.DefaultClass"/>.</summary>
    public string? Class { get; init; }

    /// <summary>From then on it does not work; null is never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>How long the secret before this one works, or did; null where there was none.</summary>
    public DateTimeOffset? FormerUntil { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    public bool Allows(KeyScopes scope) =>
        (Scopes & scope) == scope || (Scopes.HasFlag(KeyScopes.Admin) && scope is KeyScopes.Submit or KeyScopes.Read);

    /// <summary>Whose jobs this key sees.</summary>
    public JobScope Jobs => Scopes.HasFlag(KeyScopes.Admin) ? JobScope.All : JobScope.OfKey(Id);
}

/// <param name="Secret">Shown this once; only its digest is kept.</param>
public sealed record CreatedKey(ApiKey Key, string Secret);
