using Microsoft.Extensions.Options;
using RenderFarm.Artifacts;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Hosting;

/// <summary>Puts the worker together.</summary>
public static class WorkerApplication
{
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? adjust = null)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.AddSimpleConsole(console => (console.SingleLine, console.IncludeScopes) = (true, true));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        // A start that fails is told in one line by whoever started it.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        adjust?.Invoke(builder);
        builder.WebHost.UseUrls(
            builder.Configuration[$"{MetricsOptions.Section}:{nameof(MetricsOptions.Url)}"] is { Length: > 0 } url
                ? url
                : new MetricsOptions().Url
        );

        builder.Services.AddWorkerSettings(builder.Configuration);
        builder.Services.Configure<ArtifactsOptions>(artifacts => artifacts.Directory ??= Path.Combine(FarmHome.Directory, "artifacts"));
        builder.Services.AddSingleton<TimeProvider>(services => new HostClock(
            services.GetRequiredService<IOptions<WorkerOptions>>().Value.ClockOffsetSeconds
        ));
        builder.Services.AddArtifacts(builder.Configuration);
        builder.Services.AddWorkerMetrics();
        builder.Services.AddSingleton<IHostLifetime, SignalLifetime>();

        // Who we are
        builder.Services.AddSingleton<WorkerDrain>().AddSingleton<WorkerKey>().AddSingleton<FarmApi>();
        builder.Services.AddSingleton<ModelCatalog>().AddSingleton<SlotDiscovery>().AddSingleton<WorkerRegistration>();

        // Work
        builder.Services.AddSingleton<Doorbell>().AddSingleton<BellListener>().AddSingleton<SlotGate>().AddSingleton<SlotLoop>();
        builder.Services.AddSingleton<RunningLeases>().AddSingleton<InputDownloads>().AddSingleton<HostWeightCache>();
        builder.Services.AddSingleton<CardGuard>().AddSingleton<RendererTurns>().AddSingleton<RendererLauncher>();
        builder.Services.AddSingleton<AttemptPlanner>().AddSingleton<RenderAttempt>();
        builder.Services.AddSingleton<AttemptReporter>().AddSingleton<AttemptRunner>();
        builder.Services.AddSingleton<SpoolUpload>().AddSingleton<UploadSpool>();
        builder.Services.AddSingleton<FfmpegCheck>().AddSingleton<FarmWorker>();

        var app = builder.Build();
        app.MapPrometheusScrapingEndpoint();
        app.MapWorkerHealth();
        return app;
    }
}
