using Microsoft.Extensions.Options;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Slots;

/// <summary>A worker whose disk is nearly full takes no new job: it could not keep the video.</summary>
public sealed class DiskGate(IOptions<WorkerOptions> options)
{
    /// <returns>Null when there is room; else why not, in words.</returns>
    public string? WhyClosed()
    {
        string directory = options.Value.DataDirectory;
        double free = new DriveInfo(directory).AvailableFreeSpace / 1e6;
        double needed = options.Value.MinimumFreeDiskMegabytes;
        return free >= needed
            ? null
            : FormattableString.Invariant($"{directory} has {free:0} MB free, less than the {needed:0} MB of Worker:MinimumFreeDiskMegabytes: no new jobs until there is room");
    }
}
