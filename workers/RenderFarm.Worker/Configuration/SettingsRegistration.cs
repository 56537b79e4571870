using RenderFarm.Hosting.Settings;

namespace RenderFarm.Worker.Configuration;

/// <summary>Every section that a worker reads, but those of the broker and the store, whose own registrations do.</summary>
internal static class SettingsRegistration
{
    /// <returns>The worker's own.</returns>
    public static WorkerOptions AddWorkerSettings(this IServiceCollection services, IConfiguration configuration)
    {
        SectionNames.RefuseMisspelt(configuration);
        var worker = services.AddSettings<WorkerOptions, WorkerOptionsValidator>(configuration);
        var keys = services.AddSettings<KeysOptions, KeysOptionsValidator>(configuration);
        services.AddSettings<ModelsOptions, ModelsOptionsValidator>(configuration);
        services.AddSettings<TorchOptions, TorchOptionsValidator>(configuration);
        services.AddSettings<MetricsOptions, MetricsOptionsValidator>(configuration);
        if (string.IsNullOrWhiteSpace(worker.ApiKey) && keys.BootstrapFile.Length == 0)
        {
            throw SettingsFaults.At<WorkerOptions>(
                nameof(WorkerOptions.ApiKey), "is missing: set it to a key with scope 'worker', or Keys:BootstrapFile to the file with the "
                    + "farm's first keys");
        }

        return worker;
    }
}
