using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Units;
using RenderFarm.Hosting.Folders;
using RenderFarm.Planning;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;

namespace RenderFarm.Worker.Polling;

/// <summary>
/// Whether a slot may take a job now: its card and the video encoder must be sound, and there must be room to keep the video.
/// </summary>
internal sealed class SlotGate(IOptions<WorkerOptions> options, UploadSpool spool, CardGuard cards, FreeSpace disks)
{
    /// <returns>Null when nothing speaks against it; else why not, in words.</returns>
    public string? WhyClosed(Slot slot) => cards.WhyClosed(slot) ?? slot.Quarantine ?? WhyClosed();

    /// <inheritdoc cref="CardGuard.Resume"/>
    public void Resume(Slot slot) => cards.Resume(slot);

    /// <summary>The same for all slots together.</summary>
    public string? WhyClosed()
    {
        var directory = options.Value.DataDirectory;
        var free = disks.BytesFor(directory) / 1e6;
        var needed = options.Value.MinimumFreeDiskMegabytes;
        if (free < needed)
        {
            return $"{directory} has {free:0} MB free, less than the {needed:0} MB of Worker:MinimumFreeDiskMegabytes: no new jobs until "
                + "there is room";
        }

        var most = Gibibytes.ToBytes(options.Value.SpoolGigabytes);
        return spool.Bytes >= most
            ? $"{spool.Count} finished videos of {Names.Gib(spool.Bytes)} wait for their upload, Worker:SpoolGigabytes allows "
                + $"{Names.Gib(most)}: no new jobs until the store takes them"
            : null;
    }
}
