using Microsoft.Extensions.Diagnostics.HealthChecks;
using RenderFarm.Hosting.Loops;

namespace RenderFarm.Api.Health;

/// <summary>
/// The loops beside the requests. One that fails is <c>degraded</c> and no more: whoever took the API away for it would take the requests
/// away too, which are answered.
/// </summary>
internal sealed class LoopHealth(LoopSupervisor loops) : IHealthCheck
{
    private const string Loops = nameof(Loops);

    /// <summary>Those that this very check saw: the answer's status and its list are of one moment.</summary>
    public static IReadOnlyList<DegradedLoop> In(HealthReport report) =>
        report.Entries.Values.Select(check => check.Data.GetValueOrDefault(Loops)).OfType<IReadOnlyList<DegradedLoop>>().FirstOrDefault([]);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var degraded = loops.Degraded;
        return Task.FromResult(
            degraded.Count == 0
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded(
                    $"Loops that fail: {string.Join(", ", degraded.Select(loop => loop.Loop))}.",
                    data: new Dictionary<string, object> { [Loops] = degraded }
                )
        );
    }
}
