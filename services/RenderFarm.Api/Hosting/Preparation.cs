using Microsoft.Extensions.Options;
using RenderFarm.Api.Keys;
using RenderFarm.Artifacts;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Hosting;

/// <summary>What must be so before the first request: settings that make sense, a schema, keys, a place for files.</summary>
public static class Preparation
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Waits for a store that is not up yet; a broker is never waited for.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public static async Task PrepareAsync(this WebApplication app, CancellationToken cancel = default)
    {
        var services = app.Services;
        services.GetService<IStartupValidator>()?.Validate();
        await UntilThereAsync(app, "job store", () => services.GetRequiredService<JobDatabase>().MigrateAsync(cancel), cancel);
        await UntilThereAsync(app, "artifact store", () => services.GetRequiredService<IArtifactStore>().EnsureReadyAsync(cancel), cancel);
        if (services.GetRequiredService<IOptions<KeysOptions>>().Value.BootstrapFile is { Length: > 0 } file)
        {
            try
            {
                await services.GetRequiredService<KeyBootstrap>().EnsureAsync(file, cancel);
            }
            catch (Exception e) when (e is InvalidDataException or UnauthorizedAccessException)
            {
                throw new OptionsValidationException(KeysOptions.Section, typeof(KeysOptions), [$"Keys:BootstrapFile: {e.Message}"]);
            }
        }
    }

    private static async Task UntilThereAsync(WebApplication app, string what, Func<Task> attempt, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                await attempt();
                return;
            }
            catch (Exception e) when (e is StoreUnavailableException or ArtifactStoreException { IsTransient: true })
            {
                app.Logger.LogWarning("The {What} is not there yet; trying again: {Cause}", what, e.InnerException?.Message ?? e.Message);
                await Task.Delay(Pause, app.Services.GetRequiredService<TimeProvider>(), cancel);
            }
        }
    }
}
