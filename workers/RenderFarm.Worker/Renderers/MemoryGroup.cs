using System.Globalization;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Renderers;

/// <summary>
/// A control group (version 2) of one renderer with a limit of its own, so that the kernel ends it at the limit and nobody
/// else. Only where this process may make groups below its own and the memory controller is on for them; elsewhere the
/// attempt watches the renderer's memory itself.
/// </summary>
internal sealed class MemoryGroup : IDisposable
{
    private readonly string _folder;

    private MemoryGroup(string folder) => _folder = folder;

    public long OutOfMemoryKills => HostMemory.KillsOf(_folder) ?? 0;

    public static MemoryGroup? TryCreate(int process, long limitBytes)
    {
        if (HostMemory.OwnGroup is not { } own)
        {
            return null;
        }

        var group = new MemoryGroup(Path.Combine(own, string.Create(CultureInfo.InvariantCulture, $"renderer-{process}")));
        try
        {
            Directory.CreateDirectory(group._folder);
            if (File.Exists(group.Setting("memory.max")))
            {
                File.WriteAllText(group.Setting("memory.max"), limitBytes.ToString(CultureInfo.InvariantCulture));
                File.WriteAllText(group.Setting("cgroup.procs"), process.ToString(CultureInfo.InvariantCulture));
                return group;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Not ours to make, or the process has ended already
        }

        group.Dispose();
        return null;
    }

    /// <summary>A group whose processes have ended is an empty folder to the kernel.</summary>
    public void Dispose()
    {
        try
        {
            if (Directory.Exists(_folder))
            {
                Directory.Delete(_folder);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Its last process is still going; an empty group costs nothing and ends with the worker's own
        }
    }

    private string Setting(string name) => Path.Combine(_folder, name);
}
