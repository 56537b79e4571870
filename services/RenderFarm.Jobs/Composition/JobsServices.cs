using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Batches;
using RenderFarm.Jobs.Enrolment;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Queue;
using RenderFarm.Jobs.Results;
using RenderFarm.Jobs.Retries;
using RenderFarm.Jobs.Sessions;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Webhooks;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Composition;

/// <summary>
/// Everything here, in one call. The host adds an artifact store, and an <see cref="IBell"/> beforehand where there is a broker.
/// </summary>
public static class JobsServices
{
    /// <summary>The host migrates (<see cref="JobDatabase.MigrateAsync"/>) and then runs every <see cref="ILoop"/>.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, StoreOptions store)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IBell, SilentBell>();
        services.TryAddSingleton(new LeaseSettings());
        services.AddSingleton(_ => new JobDatabase(store));
        services.AddSingleton(new RetryPolicy(Random.Shared.NextDouble));
        services.AddSingleton<JobSignal>();
        services.AddSingleton<JobAnnouncer>();
        services.AddSingleton<JobSubmission>();
        services.AddSingleton<JobStore>();
        services.AddSingleton<JobBulk>();
        services.AddSingleton<BatchStore>();
        services.AddSingleton<QueuePauses>();
        services.AddSingleton<QueueBoard>();
        services.AddSingleton<WorkerRegistry>();
        services.AddSingleton<WorkerRights>();
        services.AddSingleton<SlotQuarantines>();
        services.AddSingleton<ModelHolders>();
        services.AddSingleton<RenderTimes>();
        services.AddSingleton<QueueForecast>();
        services.AddSingleton<LeaseEndings>();
        services.AddSingleton<PlanCorrections>();
        services.AddSingleton<LeaseDesk>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<KeyBootstrap>();
        services.AddSingleton<PageSessions>();
        services.AddSingleton<Invitations>();
        services.AddSingleton<Enrolments>();
        services.AddSingleton<WorkerRevocation>();
        services.AddSingleton<EventLog>();
        services.AddSingleton<DeliveryStore>();
        services.AddSingleton<WebhookSecrets>();

        services.AddLoop<EventFeed>();
        services.AddLoop<BellRinger>();
        services.AddLoop<PostgresSignalListener>();
        AddSweep<LeaseReaper>(services);
        AddSweep<BellRelay>(services);
        AddSweep<FairClock>(services);
        AddSweep<ExpirySweep>(services);
        AddSweep<ArtifactJanitor>(services);
        services.AddSingleton<ArtifactAudit>();
        services.AddSingleton<ResultManifests>();
        services.AddSingleton<ResultAdoption>();
        services.TryAddSingleton(store);
        AddSweep<RowRetention>(services);
        return services;
    }

    private static void AddSweep<TSweep>(IServiceCollection services)
        where TSweep : class, ISweep
    {
        services.AddSingleton<TSweep>();
        services.AddSingleton<ILoop>(provider => new SweepLoop(
            provider.GetRequiredService<TSweep>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SweepLoop>>()
        ));
    }
}
