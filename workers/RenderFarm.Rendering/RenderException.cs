using RenderFarm.Contracts.Leases;

namespace RenderFarm.Rendering;

/// <summary>A render ended for a known reason; the message is one sentence for the user with the remedy.</summary>
public sealed class RenderException(FailureReason reason, string message, Exception? inner = null) : Exception(message, inner)
{
    public FailureReason Reason { get; } = reason;

    /// <summary>Bytes asked for when memory ran out, where the device said so.</summary>
    public long? RequestedBytes { get; init; }

    /// <summary>Bytes that were free then.</summary>
    public long? FreeBytes { get; init; }
}
