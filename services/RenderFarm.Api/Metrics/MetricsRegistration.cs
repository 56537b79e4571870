using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using RenderFarm.Api.Hosting;
using RenderFarm.Contracts;

namespace RenderFarm.Api.Metrics;

internal static class MetricsRegistration
{
    private static readonly double[] RenderSeconds = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1200, 2400, 4800, 9600];
    private static readonly double[] StepSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128];

    /// <summary><c>/metrics</c> in the Prometheus format: the farm's own figures, HTTP, the runtime, the bus and the database.</summary>
    public static MetricsOptions AddMetrics(this WebApplicationBuilder builder)
    {
        var settings = builder.AddSettings<MetricsOptions>(MetricsOptions.Section);
        builder.Services.AddSingleton<FarmMetrics>();
        builder.Services.AddHostedService<QueueGauges>();
        builder
            .Services.AddOpenTelemetry()
            .WithMetrics(metrics =>
                metrics
                    .ConfigureResource(resource =>
                        resource
                            .AddService("renderfarm-api", serviceVersion: FarmVersion.Full, autoGenerateServiceInstanceId: false)
                            .AddEnvironmentVariableDetector()
                    )
                    .AddMeter(FarmMetrics.MeterName, "MassTransit", "Npgsql")
                    .AddAspNetCoreInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddView("renderfarm.lease.duration", Buckets(RenderSeconds))
                    .AddView("renderfarm.stage.duration", Buckets(RenderSeconds))
                    .AddView("renderfarm.queue.wait", Buckets(RenderSeconds))
                    .AddView("renderfarm.step.duration", Buckets(StepSeconds))
                    .AddPrometheusExporter()
            );
        return settings;
    }

    /// <summary>With a port of its own, <c>/metrics</c> is there and nowhere else, and nothing else is there.</summary>
    public static void UseMetrics(this WebApplication app, MetricsOptions settings)
    {
        app.UseOpenTelemetryPrometheusScrapingEndpoint(context =>
            context.Request.Path == "/metrics" && (settings.Port is not { } own || context.Connection.LocalPort == own)
        );
        if (settings.Port is { } port)
        {
            app.Use((context, next) => context.Connection.LocalPort == port ? NothingHere(context) : next(context));
        }

        static Task NothingHere(HttpContext context)
        {
            // Routing may have found an endpoint of the other port already.
            context.SetEndpoint(null);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
    }

    private static ExplicitBucketHistogramConfiguration Buckets(double[] boundaries) => new() { Boundaries = boundaries };
}
