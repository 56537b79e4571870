namespace RenderFarm.Hosting.Metrics;

/// <summary>
/// Figures of the runtime and of libraries whose names Prometheus takes for something else: there, <c>_count</c> is a part of a histogram.
/// </summary>
public static class PlainNames
{
    private static readonly Dictionary<string, string> Plain = new(StringComparer.Ordinal)
    {
        ["dotnet.assembly.count"] = "dotnet.assemblies",
        ["dotnet.process.cpu.count"] = "dotnet.process.cpus",
        ["dotnet.timer.count"] = "dotnet.timers",
        ["db.client.connection.count"] = "db.client.connections",
    };

    /// <summary>What a view calls an instrument; null where its own name will do.</summary>
    public static string? Of(string instrument) => Plain.GetValueOrDefault(instrument);
}
