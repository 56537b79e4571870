using System.Globalization;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>Resident set of this process, from the kernel.</summary>
public sealed class ResidentMemory : IMemoryGauge
{
    /// <summary>Highest resident set since the start or the last reset (<c>VmHWM</c>).</summary>
    public long PeakBytes()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (!line.StartsWith("VmHWM:", StringComparison.Ordinal))
            {
                continue;
            }

            var kibibytes = line.AsSpan(6).Trim();
            return long.Parse(kibibytes[..kibibytes.IndexOf(' ')], CultureInfo.InvariantCulture) * 1024;
        }
        return 0;
    }

    /// <summary>Lets the peak start over from the present resident set, where the kernel allows it.</summary>
    public void RestartPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A sandbox may forbid it; then a stage's peak includes those before it, which errs on the safe side
        }
    }
}
