using Microsoft.Extensions.Diagnostics.HealthChecks;
using RenderFarm.Api.Hosting;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Health;

/// <summary>The job store has been prepared, and answers a real question.</summary>
internal sealed class StoreHealth(JobStore jobs, Readiness readiness) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (readiness.Waiting is { } why)
        {
            return HealthCheckResult.Unhealthy(why);
        }

        try
        {
            await jobs.ListAsync(JobScope.All, JobFilter.All, new PagePlace(1), cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }
}
