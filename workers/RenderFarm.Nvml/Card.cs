namespace RenderFarm.Nvml;

/// <summary>One card as the driver names it.</summary>
/// <param name="Uuid"><c>GPU-…</c>: stable across restarts, and accepted by <c>CUDA_VISIBLE_DEVICES</c>.</param>
public sealed record Card(int Index, string Uuid, string Name, long TotalBytes)
{
    /// <summary>What its units can do, such as 8.9; null where the driver doesn't tell.</summary>
    public Version? ComputeCapability { get; init; }
}

/// <summary>Device memory at one moment, of all processes together.</summary>
public readonly record struct CardMemory(long TotalBytes, long FreeBytes, long UsedBytes);

/// <summary>How busy and how hot a card is; null where the card or its driver doesn't tell.</summary>
/// <param name="UtilizationPercent">Part of the last second or so in which anything ran.</param>
public readonly record struct CardVitals(int? UtilizationPercent, int? TemperatureCelsius, double? PowerWatts, double? PowerLimitWatts);

/// <summary>A process with a context on a card.</summary>
/// <param name="Name">Its program; empty where this process may not look (another container).</param>
/// <param name="UsedBytes">Null where the driver can't tell them apart.</param>
public sealed record CardProcess(int Id, string Name, long? UsedBytes);

/// <summary>The driver refused a question.</summary>
public sealed class NvmlException(string call, int code, string meaning) : Exception($"{call} failed with NVML error {code} ({meaning})")
{
    public int Code { get; } = code;
}
