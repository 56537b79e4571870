namespace RenderFarm.Dashboard.Calls;

/// <summary><c>GET /v1/session</c>.</summary>
public sealed record SessionRecord(string KeyId, string Name, IReadOnlyList<string> Scopes, int PriorityCeiling, string? Csrf)
{
    public bool MaySubmit => Scopes.Contains("submit") || MayRun;

    /// <summary>Runs the farm.</summary>
    public bool MayRun => Scopes.Contains("admin");
}
