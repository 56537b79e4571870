using System.Globalization;

namespace RenderFarm.Worker.Slots;

/// <summary>Memory of this host, or of the container it is in when that has less.</summary>
internal static class HostMemory
{
    private const string Groups = "/sys/fs/cgroup";

    public static long TotalBytes => Math.Min(MemInfo("MemTotal"), GroupLimit ?? long.MaxValue);

    /// <summary>What a new process could take without pushing others out.</summary>
    public static long AvailableBytes
    {
        get
        {
            var host = MemInfo("MemAvailable");
            return GroupLimit is { } limit ? Math.Max(0, Math.Min(host, limit - (GroupNumber("memory.current") ?? 0))) : host;
        }
    }

    /// <summary>
    /// How many processes the kernel has killed for memory so far: of this process's control group, or of the host where that
    /// doesn't tell.
    /// </summary>
    public static long OutOfMemoryKills => (OwnGroup is { } own ? KillsOf(own) : null) ?? Field("/proc/vmstat", "oom_kill") ?? 0;

    /// <summary>Folder of this process's control group (version 2); null where there is none.</summary>
    public static string? OwnGroup
    {
        get
        {
            const string Unified = "0::/";
            var line = File.Exists("/proc/self/cgroup")
                ? File.ReadLines("/proc/self/cgroup").FirstOrDefault(l => l.StartsWith(Unified, StringComparison.Ordinal))
                : null;
            var folder = line is null ? "" : Path.Combine(Groups, line[Unified.Length..]);
            return File.Exists(Path.Combine(folder, "cgroup.procs")) ? folder : null;
        }
    }

    /// <summary>Kills in one control group; null where it doesn't count them.</summary>
    public static long? KillsOf(string group) => Field(Path.Combine(group, "memory.events"), "oom_kill");

    private static long? GroupLimit => GroupNumber("memory.max");

    private static long? GroupNumber(string file)
    {
        var path = Path.Combine(OwnGroup ?? Groups, file);
        return File.Exists(path) && long.TryParse(File.ReadAllText(path).Trim(), CultureInfo.InvariantCulture, out var bytes)
            ? bytes
            : null;
    }

    private static long MemInfo(string name) => (Field("/proc/meminfo", name + ":") ?? 0) * 1024;

    private static long? Field(string path, string name)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        foreach (var line in File.ReadLines(path))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length >= 2 && parts[0] == name && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var value))
            {
                return value;
            }
        }

        return null;
    }
}
