using OpenTelemetry.Trace;
using RenderFarm.Hosting.Tracing;

namespace RenderFarm.Api.Tracing;

internal static class TracingRegistration
{
    /// <summary>What is asked every few seconds, or stays open for as long as somebody waits, would bury the rest.</summary>
    private static readonly string[] Unrecorded = ["renew", "progress", "events", "leases"];

    /// <summary>Spans over OTLP, where the standard settings (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its kin) say where to.</summary>
    public static void AddTracing(this WebApplicationBuilder builder)
    {
        if (!FarmTraces.AreWanted(key => builder.Configuration[key]))
        {
            return;
        }

        builder
            .Services.AddOpenTelemetry()
            .WithTracing(tracing =>
                tracing
                    .AddSource(FarmTraces.ApiSource)
                    .AddAspNetCoreInstrumentation(http =>
                    {
                        http.Filter = IsRecorded;
                        http.EnrichWithHttpResponse = (span, response) =>
                            span.SetTag(FarmTraces.VideoId, VideoScope.VideoOf(response.HttpContext));
                    })
                    .AddOtlpExporter()
            );
    }

    private static bool IsRecorded(HttpContext context)
    {
        var path = context.Request.Path;
        return (path.StartsWithSegments("/v1", StringComparison.Ordinal) || path.StartsWithSegments("/worker", StringComparison.Ordinal))
            && !Unrecorded.Contains(path.Value!.Split('/')[^1]);
    }
}
