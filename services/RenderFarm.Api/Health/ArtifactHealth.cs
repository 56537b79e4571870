using Microsoft.Extensions.Diagnostics.HealthChecks;
using RenderFarm.Jobs.Maintenance;

namespace RenderFarm.Api.Health;

/// <summary>What the janitor left for somebody to look at. It stands in nobody's way, and so it is shown and no more.</summary>
internal sealed class ArtifactHealth(ArtifactJanitor janitor) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HealthCheckResult.Healthy(janitor.Findings is { } left ? Describe(left) : null));

    private static string? Describe(JanitorFindings left)
    {
        string[] lines =
        [
            .. left.Unclaimed > 0
                ? [$"{left.Unclaimed} stored objects belong to no row; `farm artifacts audit` lists them."]
                : (string[])[],
            .. left.HeldBack > 0
                ? [$"{left.HeldBack} objects of lost leases are kept: too many to be right. Compare the database with the bucket."]
                : (string[])[],
        ];
        return lines.Length == 0 ? null : string.Join(" ", lines);
    }
}
