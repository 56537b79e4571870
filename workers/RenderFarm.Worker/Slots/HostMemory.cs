using System.Globalization;

namespace RenderFarm.Worker.Slots;

/// <summary>Memory of this host, or of the container it is in when that has less.</summary>
public sealed class HostMemory
{
    public long TotalBytes => Math.Min(MemInfo("MemTotal"), GroupLimit ?? long.MaxValue);

    /// <summary>What a new process could take without pushing others out.</summary>
    public long AvailableBytes
    {
        get
        {
            long host = MemInfo("MemAvailable");
            return GroupLimit is { } limit ? Math.Max(0, Math.Min(host, limit - (GroupNumber("memory.current") ?? 0))) : host;
        }
    }

    /// <summary>How many processes of this container the kernel has killed for memory so far.</summary>
    public static long OutOfMemoryKills => Fields("/sys/fs/cgroup/memory.events").FirstOrDefault(f => f.Name == "oom_kill").Value;

    private static long? GroupLimit => GroupNumber("memory.max");

    private static long? GroupNumber(string file)
    {
        string path = "/sys/fs/cgroup/" + file;
        return File.Exists(path) && long.TryParse(File.ReadAllText(path).Trim(), CultureInfo.InvariantCulture, out long bytes) ? bytes : null;
    }

    private static long MemInfo(string name) => Fields("/proc/meminfo").FirstOrDefault(f => f.Name == name + ":").Value * 1024;

    private static IEnumerable<(string Name, long Value)> Fields(string path)
    {
        if (!File.Exists(path)) yield break;
        foreach (string line in File.ReadLines(path))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length >= 2 && long.TryParse(parts[1], CultureInfo.InvariantCulture, out long value)) yield return (parts[0], value);
        }
    }
}
