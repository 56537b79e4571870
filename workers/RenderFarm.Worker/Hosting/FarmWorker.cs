using Microsoft.Extensions.Options;
using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Hosting;

/// <summary>
/// The worker's life: 1 check and clean, 2 register, 3 resume the spool, 4 listen for bells, 5 run the slots until the
/// drain, 6 let uploads finish while there is time.
/// </summary>
public sealed class FarmWorker(
    IOptions<WorkerOptions> options,
    FfmpegCheck ffmpeg,
    WorkerRegistration registration,
    SlotDiscovery discovery,
    SlotLoop loop,
    UploadSpool spool,
    HostWeightCache cache,
    RendererLauncher launcher,
    BellListener bells,
    WorkerDrain drain,
    TimeProvider time,
    ILogger<FarmWorker> log
)
{
    private static readonly TimeSpan LastUploads = TimeSpan.FromSeconds(2);

    /// <exception cref="WorkerSettingException">A setting can't work.</exception>
    public async Task RunAsync()
    {
        // 1
        using var owned = DataDirectoryLock.Take(options.Value.DataDirectory);
        try
        {
            await ffmpeg.RunAsync(drain.Draining);
            AttemptFolder.Sweep(options.Value.AttemptsDirectory);
            await cache.PrepareAsync(drain.Draining);

            // 2, 3
            await registration.RegisterAsync(drain.Draining);
            await spool.ResumeAsync(registration.Settings, drain.Draining);
        }
        catch (OperationCanceledException) when (drain.Draining.IsCancellationRequested)
        {
            return;
        }

        // 4, 5
        await using (bells)
        {
            bells.Start(registration.WorkerId, discovery.Slots);
            var models = FollowModelsAsync();
            await Task.WhenAll(discovery.Slots.Select(loop.RunAsync));
            await models;
            launcher.Dispose(); // Standbys: nobody waits for their order any more
        }

        // 6
        if (spool.Count > 0)
        {
            log.LogInformation("Waiting for {Count} uploads", spool.Count);
        }

        var uploads = spool.WhenEmptyAsync();
        var graceOver = Task.Delay(Timeout.InfiniteTimeSpan, time, drain.HandBack).ContinueWith(_ => { }, TaskScheduler.Default);
        if (await Task.WhenAny(uploads, graceOver) != uploads)
        {
            await Task.WhenAny(uploads, Task.Delay(LastUploads, time));
        }

        log.LogInformation("Drained");
    }

    private async Task FollowModelsAsync()
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
                log.LogWarning("The models folder can't be read, it is looked at again later: {Reason}", fault.Message);
            }
        }
    }
}
