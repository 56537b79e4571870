using Microsoft.Extensions.Options;
using RenderFarm.Worker.Attempts;
using RenderFarm.Worker.Calibration;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Hosting;

/// <summary>What has to be right, and out of the way, before a worker takes jobs.</summary>
internal sealed class WorkerPreparation(
    IOptions<WorkerOptions> options,
    EncoderGuard encoder,
    HostWeightCache cache,
    CardErrorRecord cardErrors,
    SlotCalibration calibration
)
{
    /// <summary>One worker per data directory, for as long as the lock is held.</summary>
    /// <exception cref="WorkerSettingException">The folder can't be used.</exception>
    public DataDirectoryLock LockDataDirectory() => DataDirectoryLock.Take(options.Value.DataDirectory);

    /// <summary>Encoder tried, scratch of a previous life removed, weight cache checked, every card looked at.</summary>
    /// <exception cref="WorkerSettingException">A setting can't work.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        cardErrors.Restore();
        await encoder.PrepareAsync(cancellationToken);
        AttemptFolder.Sweep(options.Value.AttemptsDirectory);
        await cache.PrepareAsync(cancellationToken);
        await calibration.PrepareAsync(cancellationToken);
    }
}
