namespace RenderFarm.Hosting.Metrics;

/// <summary>
/// Figures of the .NET runtime whose names Prometheus takes for something else: there, <c>_count</c> is a part of a histogram.
/// </summary>
public static class RuntimeNames
{
    private static readonly Dictionary<string, string> Plain = new(StringComparer.Ordinal)
    {
        ["dotnet.assembly.count"] = "dotnet.assemblies",
        ["dotnet.process.cpu.count"] = "dotnet.process.cpus",
        ["dotnet.timer.count"] = "dotnet.timers",
    };

    /// <summary>What a view calls an instrument; null where its own name will do.</summary>
    public static string? Of(string instrument) => Plain.GetValueOrDefault(instrument);
}
