using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Hosting;

/// <summary>Follows the models on disk until the drain; trouble with the disk is looked at again later.</summary>
internal sealed class ModelWatch(WorkerRegistration registration, WorkerDrain drain, ILogger<ModelWatch> log)
{
    public async Task RunAsync()
    {
        while (!drain.Draining.IsCancellationRequested)
        {
            try
            {
                await registration.FollowModelsAsync(drain.Draining);
            }
            catch (OperationCanceledException) when (drain.Draining.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                log.ModelsFolderUnreadable(fault.Message);
            }
        }
    }
}
