using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Polling;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Spool;

namespace RenderFarm.Worker.Hosting;

/// <summary>
/// The worker's life: 1 check, clean, register and resume the spool, 2 listen for bells, 3 run the slots until the drain, 4 let
/// uploads finish while there is time, 5 say good-bye, unless a video is left that is not stored: then somebody must come back.
/// </summary>
internal sealed class FarmWorker(
    WorkerStart start,
    WorkerRegistration registration,
    BellListener bells,
    WorkerLoops loops,
    SlotLoops slots,
    LastUploads uploads,
    UploadSpool spool,
    ILogger<FarmWorker> log
)
{
    /// <exception cref="WorkerSettingException">A setting can't work.</exception>
    public async Task RunAsync()
    {
        // 1
        using var owned = start.LockDataDirectory();
        if (!await start.RunAsync())
        {
            return;
        }

        // 2, 3
        await using (bells)
        {
            bells.Start(registration.WorkerId, slots.Slots);
            await slots.RunAsync(beside: loops.RunAsync());
        }

        // 4
        await uploads.WaitAsync();

        // 5
        if (spool.Count == 0)
        {
            await registration.SayGoodbyeAsync();
        }

        log.Drained();
    }
}
