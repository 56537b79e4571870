namespace RenderFarm.Nvml;

/// <summary>One card as the driver names it.</summary>
/// <param name="Uuid"><c>GPU-…</c>: stable across restarts, and accepted by <c>CUDA_VISIBLE_DEVICES</c>.</param>
public sealed record Card(int Index, string Uuid, string Name, long TotalBytes);

/// <summary>Device memory at one moment, of all processes together.</summary>
public readonly record struct CardMemory(long TotalBytes, long FreeBytes, long UsedBytes);

/// <summary>The driver refused a question.</summary>
public sealed class NvmlException(string call, int code) : Exception($"{call} failed with NVML error {code}")
{
    public int Code { get; } = code;
}
