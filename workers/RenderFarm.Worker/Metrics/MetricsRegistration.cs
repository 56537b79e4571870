using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using RenderFarm.Contracts;
using RenderFarm.Hosting.Metrics;

namespace RenderFarm.Worker.Metrics;

internal static class MetricsRegistration
{
    public static IServiceCollection AddWorkerMetrics(this IServiceCollection services)
    {
        services.AddSingleton<WorkerMetrics>();
        services
            .AddOpenTelemetry()
            // Of figures and spans alike
            .ConfigureResource(resource =>
                resource
                    .AddService("renderfarm-worker", serviceVersion: FarmVersion.Full, autoGenerateServiceInstanceId: false)
                    .AddEnvironmentVariableDetector()
            )
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(WorkerInstruments.Meter)
                    .AddRuntimeInstrumentation()
                    .AddView(of => PlainNames.Of(of.Name) is { } name ? new MetricStreamConfiguration { Name = name } : null)
                    .AddPrometheusExporter()
            );
        // A provider hears every meter of its process by name: of the worker's own it takes this host's
        services.ConfigureOpenTelemetryMeterProvider(
            (provider, metrics) =>
            {
                var own = provider.GetRequiredService<IMeterFactory>();
                metrics.AddView(instrument =>
                    instrument.Meter.Name != WorkerInstruments.Meter || ReferenceEquals(instrument.Meter.Scope, own)
                        ? null
                        : MetricStreamConfiguration.Drop
                );
            }
        );
        return services;
    }
}
