using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RenderFarm.Api.Probes;

namespace RenderFarm.Api.Health;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work, which takes the job store; a
/// broker that is away is shown and does not count. <c>degraded</c> is 200: the loops that fail are listed, and requests are answered.
/// </summary>
internal static class HealthEndpoints
{
    private const string Ready = "ready";

    public static void AddFarmHealth(this IServiceCollection services) =>
        services
            .AddSingleton<ArtifactProbe>()
            .AddHealthChecks()
            .AddCheck<StoreHealth>("store", HealthStatus.Unhealthy, [Ready], TimeSpan.FromSeconds(3))
            .AddCheck<LoopHealth>("loops", HealthStatus.Degraded, [Ready])
            .AddCheck<ArtifactHealth>("artifacts", HealthStatus.Degraded, [Ready]);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync });
        // MassTransit tags its own check with the same word.
        routes.MapHealthChecks(
            "/health/ready",
            new HealthCheckOptions { Predicate = check => check.Tags.Contains(Ready), ResponseWriter = WriteAsync }
        );
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new
            {
                Status = report.Status.ToString().ToLowerInvariant(),
                Degraded = LoopHealth.In(report),
                Checks = report.Entries.ToDictionary(
                    check => check.Key,
                    check => new { Status = check.Value.Status.ToString().ToLowerInvariant(), check.Value.Description }
                ),
            },
            Wire.Json
        );
}
