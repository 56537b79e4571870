using System.Globalization;

namespace RenderFarm.Renderer.Process;

/// <summary>What Linux says about this process.</summary>
internal static class ProcessFacts
{
    private const double TicksPerSecond = 100; // USER_HZ: fixed by the kernel's interface, whatever its own rate

    /// <summary>Seconds since the kernel made this process.</summary>
    public static double SecondsSinceStart()
    {
        // The second field is the program's name in brackets and may hold spaces: count from behind it
        var stat = File.ReadAllText("/proc/self/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var started = double.Parse(fields[19], CultureInfo.InvariantCulture) / TicksPerSecond;
        var uptime = File.ReadAllText("/proc/uptime");
        return double.Parse(uptime.AsSpan(0, uptime.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture) - started;
    }

    /// <summary>Makes this process the one that the kernel ends first when host memory runs out.</summary>
    public static void VolunteerForOutOfMemory()
    {
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", "900");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"oom_score_adj left as it is: {e.Message}");
        }
    }
}
