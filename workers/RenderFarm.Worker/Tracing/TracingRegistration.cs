using OpenTelemetry.Trace;
using RenderFarm.Hosting.Tracing;

namespace RenderFarm.Worker.Tracing;

internal static class TracingRegistration
{
    /// <summary>Spans over OTLP, where the standard settings (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its kin) say where to.</summary>
    public static void AddTracing(this WebApplicationBuilder builder)
    {
        if (FarmTraces.AreWanted(key => builder.Configuration[key]))
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(FarmTraces.WorkerSource).AddOtlpExporter());
        }
    }
}
