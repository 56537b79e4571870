using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using RenderFarm.Contracts;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Metrics;

internal static class MetricsRegistration
{
    private const string Bus = "MassTransit";

    /// <summary><c>/metrics</c> in the Prometheus format: the farm's own figures, HTTP, the runtime, the bus and the database.</summary>
    public static MetricsOptions AddMetrics(this WebApplicationBuilder builder)
    {
        var settings = builder.Services.AddSettings<MetricsOptions, MetricsOptionsValidator>(builder.Configuration);
        builder.Services.AddSingleton<FarmMetrics>();
        builder.Services.AddSingleton<CertificateGauge>();
        builder.Services.AddLoop<QueueGauges>().AddLoop<StandingGauges>();
        builder
            .Services.AddOpenTelemetry()
            // Of figures and spans alike
            .ConfigureResource(resource =>
                resource
                    .AddService("renderfarm-api", serviceVersion: FarmVersion.Full, autoGenerateServiceInstanceId: false)
                    .AddEnvironmentVariableDetector()
            )
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(ApiInstruments.Meter, Bus, "Npgsql")
                    .AddAspNetCoreInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddView(of => PlainNames.Of(of.Name) is { } name ? new MetricStreamConfiguration { Name = name } : null)
                    // MassTransit's times are in milliseconds, which nothing here can turn into seconds
                    .AddView(of => of is { Meter.Name: Bus, Unit: "ms" } ? MetricStreamConfiguration.Drop : null)
                    // What is measured while a span is recorded names its trace
                    .SetExemplarFilter(ExemplarFilterType.TraceBased)
                    .AddPrometheusExporter()
            );
        builder.Services.ConfigureOpenTelemetryMeterProvider(
            (provider, metrics) =>
            {
                var own = provider.GetRequiredService<IMeterFactory>();
                metrics.AddView(of => OwnMeters.IsAnothers(of, ApiInstruments.Meter, own) ? MetricStreamConfiguration.Drop : null);
            }
        );
        return settings;
    }

    /// <summary>With a port of its own, <c>/metrics</c> is there and nowhere else, and nothing else is there.</summary>
    public static void UseMetrics(this WebApplication app, MetricsOptions settings)
    {
        // There from the first scrape on, not from the first request
        _ = app.Services.GetRequiredService<FarmMetrics>();
        _ = app.Services.GetRequiredService<CertificateGauge>();
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
}
