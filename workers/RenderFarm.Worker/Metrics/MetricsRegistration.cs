using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using RenderFarm.Contracts;
using RenderFarm.Hosting.Metrics;

namespace RenderFarm.Worker.Metrics;

internal static class MetricsRegistration
{
    /// <param name="name">Of the worker, by which the spans of two are told apart.</param>
    public static IServiceCollection AddWorkerMetrics(this IServiceCollection services, string name)
    {
        services.AddSingleton<WorkerMetrics>();
        services
            .AddOpenTelemetry()
            // Of figures and spans alike
            .ConfigureResource(resource =>
                resource
                    .AddService("renderfarm-worker", serviceVersion: FarmVersion.Full, serviceInstanceId: name)
                    .AddEnvironmentVariableDetector()
            )
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(WorkerInstruments.Meter)
                    .AddRuntimeInstrumentation()
                    .AddView(of => PlainNames.Of(of.Name) is { } name ? new MetricStreamConfiguration { Name = name } : null)
                    // What is measured while a span is recorded names its trace
                    .SetExemplarFilter(ExemplarFilterType.TraceBased)
                    .AddPrometheusExporter()
            );
        services.ConfigureOpenTelemetryMeterProvider(
            (provider, metrics) =>
            {
                var own = provider.GetRequiredService<IMeterFactory>();
                metrics.AddView(of => OwnMeters.IsAnothers(of, WorkerInstruments.Meter, own) ? MetricStreamConfiguration.Drop : null);
            }
        );
        return services;
    }
}
