using Microsoft.Extensions.Diagnostics.HealthChecks;
using RenderFarm.Api.Probes;
using RenderFarm.Api.Videos;
using RenderFarm.Jobs.Maintenance;

namespace RenderFarm.Api.Health;

/// <summary>
/// Whether the artifact store took something the last time it was tried, and what the janitor left for somebody to look at. Neither keeps
/// the API from its work: videos wait with their workers.
/// </summary>
internal sealed class ArtifactHealth(ArtifactProbe probe, ArtifactJanitor janitor) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            probe.Last?.Fault is { } fault
                ? HealthCheckResult.Degraded(PublicText.Of(fault))
                : HealthCheckResult.Healthy(janitor.Findings is { } left ? Describe(left) : null)
        );

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
