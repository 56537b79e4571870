using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using RenderFarm.Contracts;

namespace RenderFarm.Worker.Metrics;

internal static class MetricsRegistration
{
    private static readonly double[] StageSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
    private static readonly double[] StepSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120];

    public static IServiceCollection AddWorkerMetrics(this IServiceCollection services)
    {
        services.AddSingleton<WorkerMetrics>();
        services
            .AddOpenTelemetry()
            .WithMetrics(metrics =>
                metrics
                    .ConfigureResource(resource =>
                        resource
                            .AddService("renderfarm-worker", serviceVersion: FarmVersion.Full, autoGenerateServiceInstanceId: false)
                            .AddEnvironmentVariableDetector()
                    )
                    .AddMeter(WorkerMetrics.MeterName)
                    .AddRuntimeInstrumentation()
                    .AddView(WorkerMetrics.StageDuration, new ExplicitBucketHistogramConfiguration { Boundaries = StageSeconds })
                    .AddView(WorkerMetrics.StepDuration, new ExplicitBucketHistogramConfiguration { Boundaries = StepSeconds })
                    .AddPrometheusExporter()
            );
        return services;
    }
}
