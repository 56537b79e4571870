using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using RenderFarm.Broker;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Logs;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Calibration;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Polling;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Stopping;
using RenderFarm.Worker.Tracing;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Hosting;

/// <summary>Puts the worker together.</summary>
internal static class WorkerApplication
{
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? adjust = null)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Configuration.AddFarmLogs();
        // A slim host's console has one format, whatever the settings say
        builder.Services.Configure<ConsoleLoggerOptions>(console =>
            console.FormatterName = builder.Configuration["Logging:Console:FormatterName"]
        );
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        // A start that fails is told in one line by whoever started it.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        adjust?.Invoke(builder);
        builder.Configuration.AddFarmHome(FarmHome.Of(builder.Configuration[FarmHome.Variable]));
        var worker = builder.Services.AddWorkerSettings(builder.Configuration);
        // Without an address of their own, the figures are at a free port.
        builder.WebHost.UseUrls(builder.Configuration[$"{MetricsOptions.Section}:Url"] is { Length: > 0 } url ? url : "http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(services => new HostClock(
            services.GetRequiredService<IOptions<WorkerOptions>>().Value.ClockOffsetSeconds
        ));
        builder.AddBells();
        builder.Services.AddWorkerMetrics(worker.Name);
        builder.AddTracing();
        builder.Services.AddSingleton<IHostLifetime, SignalLifetime>();

        builder.Services.TryAddSingleton(FreeSpace.OfDisks);
        builder.Services.TryAddSingleton(new InstalledPyTorch(Environment.GetEnvironmentVariable));

        // Who we are
        builder.Services.AddSingleton<WorkerDrain>().AddSingleton<WorkerKey>().AddSingleton<FarmApi>().AddSingleton<FarmLinks>();
        builder.Services.AddSingleton<ModelCatalog>().AddSingleton<SlotDiscovery>().AddSingleton<WorkerRegistration>();
        builder.Services.AddSingleton<WorkerIdentity>().AddSingleton<WorkerDescription>();

        // Jobs: how they are asked for, rendered and uploaded
        builder.Services.AddSingleton<SlotGate>().AddSingleton<SlotAdmission>().AddSingleton<WorkPoll>();
        builder.Services.AddSingleton<SlotRound>().AddSingleton<SlotLoop>().AddSingleton<SlotLoops>();
        builder.Services.AddSingleton<AttemptRunner>().AddSingleton<LeasedAttempt>().AddSingleton<AttemptContexts>();
        builder.Services.AddSingleton<AttemptPlanner>().AddSingleton<AttemptReporter>().AddSingleton<InputDownloads>();
        builder.Services.AddSingleton<RenderAttempt>().AddSingleton<RenderStarter>().AddSingleton<FinishedVideo>();
        builder.Services.AddSingleton<FileUpload>().AddSingleton<SpoolUpload>().AddSingleton<UploadSpool>();

        // What they need
        builder.Services.AddSingleton<RunningLeases>().AddSingleton<LeaseHolder>();
        builder.Services.AddSingleton<EncoderTrial>().AddSingleton<EncoderGuard>();
        builder.Services.AddSingleton<CardErrorRecord>().AddSingleton<CardGuard>().AddSingleton<RendererTurns>();
        builder.Services.AddSingleton<RendererTorch>().AddSingleton<RendererLauncher>();
        builder.Services.AddSingleton<ExpectedOrders>();
        builder.Services.AddSingleton<HostWeightCache>();
        builder.Services.AddSingleton<DeviceTrials>().AddSingleton<SlotCalibration>();

        // The whole
        builder.Services.AddSingleton<WorkerPreparation>().AddSingleton<HostGauges>();
        builder.Services.AddLoopSupervisor(WorkerInstruments.Meter, WorkerInstruments.LoopDegraded);
        builder.Services.AddLoop<ModelWatch>().AddLoop<CardErrorWatch>().AddLoop<CalibrationLoop>().AddLoop<UploadOffers>();
        builder.Services.AddSingleton<WorkerStart>().AddSingleton<WorkerLoops>().AddSingleton<LastUploads>().AddSingleton<FarmWorker>();

        var app = builder.Build();
        app.GiveBusItsLog();
        app.MapPrometheusScrapingEndpoint();
        app.MapWorkerHealth();
        return app;
    }
}
