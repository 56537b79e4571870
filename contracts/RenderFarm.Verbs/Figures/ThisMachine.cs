using System.Globalization;

namespace RenderFarm.Verbs.Figures;

/// <summary>What a figure says of the machine that it comes from.</summary>
public static class ThisMachine
{
    /// <summary>Cores and processor, without a machine's name.</summary>
    public static string Name { get; } = $"{Environment.ProcessorCount} cores, {Processor()}";

    /// <summary>Of the last minute: well above nothing before a measurement means that something else is running too.</summary>
    public static double LoadAverage => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1]
        ?? "unknown processor";
}
