using System.Text.Json.Serialization;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Leases;

/// <summary><c>POST /worker/v1/register</c>: who I am, what I can run.</summary>
public sealed record RegisterWorkerRequest
{
    /// <summary>Stable across restarts of the worker on the same host: the name under which an operator knows it.</summary>
    public required string Name { get; init; }
    public required string Host { get; init; }
    public required string Version { get; init; }
    public required IReadOnlyList<SlotDescription> Slots { get; init; }
    public required IReadOnlyList<ModelRegistration> Models { get; init; }
}

[JsonConverter(typeof(WordConverter<SlotKind>))]
public enum SlotKind
{
    [JsonStringEnumMemberName("cpu")]
    Cpu,

    [JsonStringEnumMemberName("cuda")]
    Cuda,
}

public sealed record SlotDescription
{
    public required string Id { get; init; }
    public required SlotKind Kind { get; init; }

    /// <summary>The card's name, or the processor's.</summary>
    public required string Card { get; init; }
    public string? Driver { get; init; }

    /// <summary>Device memory of a card, host memory of a CPU slot.</summary>
    public required long TotalBytes { get; init; }
    public CardCalibration? Calibration { get; init; }

    /// <summary>Why the slot takes no jobs, and what to do; null when it does.</summary>
    public string? Quarantine { get; init; }
}

public sealed record RegisterWorkerReply
{
    public required string WorkerId { get; init; }
    public required LeaseSettings Settings { get; init; }
}

/// <summary>The clockwork of a lease, told by the API so that both sides use the same figures.</summary>
public sealed record LeaseSettings
{
    public double LeaseSeconds { get; set; } = 24;
    public double RenewSeconds { get; set; } = 3;

    /// <summary>How soon a failed renewal is tried again.</summary>
    public double RenewRetrySeconds { get; set; } = 1;

    /// <summary>The worker kills its renderer this long before its own deadline.</summary>
    public double KillMarginSeconds { get; set; } = 2;

    /// <summary>Length of a lease from the moment the job is in <c>uploading</c>.</summary>
    public double UploadLeaseSeconds { get; set; } = 600;
}
