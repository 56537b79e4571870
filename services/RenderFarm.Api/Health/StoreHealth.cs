using Microsoft.Extensions.Diagnostics.HealthChecks;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Health;

/// <summary>The job store answers a real question.</summary>
public sealed class StoreHealth(JobStore jobs) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await jobs.ListAsync(JobScope.All, limit: 1, after: null, ascending: false, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }
}
