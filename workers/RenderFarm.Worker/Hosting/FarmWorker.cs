using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Polling;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Hosting;

/// <summary>
/// The worker's life: 1 check and clean, 2 register, 3 resume the spool, 4 listen for bells, 5 run the slots until the
/// drain, 6 let uploads finish while there is time.
/// </summary>
internal sealed class FarmWorker(
    WorkerPreparation preparation,
    WorkerRegistration registration,
    LoopSupervisor loops,
    IEnumerable<ILoop> beside,
    SlotLoops slots,
    UploadSpool spool,
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
        using var owned = preparation.LockDataDirectory();
        try
        {
            await preparation.RunAsync(drain.Draining);

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
            bells.Start(registration.WorkerId, slots.Slots);
            var watching = loops.RunAsync(beside, drain.Draining);
            await slots.RunAsync(watching);
        }

        // 6
        if (spool.Count > 0)
        {
            log.WaitingForUploads(spool.Count);
        }

        var uploads = spool.WhenEmptyAsync();
        var graceOver = Task.Delay(Timeout.InfiniteTimeSpan, time, drain.HandBack).ContinueWith(_ => { }, TaskScheduler.Default);
        if (await Task.WhenAny(uploads, graceOver) != uploads)
        {
            await Task.WhenAny(uploads, Task.Delay(LastUploads, time));
        }

        log.Drained();
    }
}
