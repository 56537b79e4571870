using Microsoft.AspNetCore.Routing.Patterns;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Metrics;

namespace RenderFarm.Api.Workers;

/// <summary>Counts the reports of workers that were refused because their lease is no longer the job's.</summary>
internal sealed class SupersededReports(FarmMetrics metrics) : IEndpointFilter
{
    /// <summary><c>/worker/v1/leases/{job}/…</c></summary>
    private const int ReportSegment = 4;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        try
        {
            return await next(context);
        }
        catch (ApiErrorException refused) when (refused.Error.IsLeaseLost)
        {
            metrics.Superseded(ReportOf(context.HttpContext.GetEndpoint()));
            throw;
        }
    }

    /// <summary>The word that the route has for it: of routes there are few.</summary>
    private static string ReportOf(Endpoint? endpoint) =>
        endpoint is RouteEndpoint { RoutePattern.PathSegments: var segments } && segments.Count > ReportSegment
            ? string.Concat(segments[ReportSegment].Parts.OfType<RoutePatternLiteralPart>().Select(part => part.Content))
            : "unknown";
}
