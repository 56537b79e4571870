using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Hosting;

/// <summary>How a worker comes to be one of the farm's: 1 check and clean, 2 register, 3 resume the spool.</summary>
internal sealed class WorkerStart(
    WorkerPreparation preparation,
    WorkerRegistration registration,
    UploadSpool spool,
    HostGauges gauges,
    WorkerMetrics metrics,
    WorkerDrain drain
)
{
    /// <inheritdoc cref="WorkerPreparation.LockDataDirectory"/>
    public DataDirectoryLock LockDataDirectory() => preparation.LockDataDirectory();

    /// <returns>False: it was told to stop before it was through.</returns>
    /// <exception cref="WorkerSettingException">A setting can't work.</exception>
    public async Task<bool> RunAsync()
    {
        try
        {
            await preparation.RunAsync(drain.Draining);
            gauges.ShownBy(metrics);
            await registration.RegisterAsync(drain.Draining);
            await spool.OfferAsync(registration.Settings, drain.Draining);
            return true;
        }
        catch (OperationCanceledException) when (drain.Draining.IsCancellationRequested)
        {
            return false;
        }
    }
}
