using System.Text.Json.Serialization;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Leases;

/// <summary><c>POST /worker/v1/register</c>: who I am, what I can run.</summary>
public sealed record RegisterWorkerRequest
{
    /// <summary>What this worker speaks: <see cref="WorkerProtocol"/>. Workers from before there was a number don't say it.</summary>
    public int Protocol { get; init; }

    /// <summary>Which installation this is: random, made once, kept in its data directory.</summary>
    public string Identity { get; init; } = "";

    /// <summary>Which start of it this is: random for every one.</summary>
    public string Instance { get; init; } = "";

    /// <summary>
    /// Which file on which running system the identity was read from, while no other process could: of two starts from one place the
    /// earlier one is over. A copy is in another place. Null where the host can't tell.
    /// </summary>
    public string? Place { get; init; }

    /// <summary>A label for people, the same across restarts; nothing hangs on it.</summary>
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

/// <summary>Where the rates come from that plans are timed with.</summary>
[JsonConverter(typeof(WordConverter<RatesOrigin>))]
public enum RatesOrigin
{
    /// <summary>From what is known of cards of its name.</summary>
    [JsonStringEnumMemberName("estimated")]
    Estimated,

    /// <summary>On this card, or processor, itself.</summary>
    [JsonStringEnumMemberName("measured")]
    Measured,
}

public sealed record SlotDescription
{
    public required string Id { get; init; }
    public required SlotKind Kind { get; init; }

    /// <summary>The card's name, or the processor's.</summary>
    public required string Card { get; init; }
    public string? Driver { get; init; }

    /// <summary>What the card's units can do, such as 8.9; null on a CPU, and from workers that don't say it.</summary>
    public Version? ComputeCapability { get; init; }

    /// <summary>Device memory of a card, host memory of a CPU slot.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>What plans for it are timed with; null: what is known of cards of its name.</summary>
    public CardCalibration? Calibration { get; init; }

    public RatesOrigin Rates => Calibration is { IsEstimate: false } ? RatesOrigin.Measured : RatesOrigin.Estimated;

    /// <summary>Why the slot takes no jobs, and what to do; null when it does.</summary>
    public string? Quarantine { get; init; }

    /// <summary>Since when, by the worker's clock, in unix seconds.</summary>
    public long? QuarantinedAt { get; init; }
}

public sealed record RegisterWorkerReply
{
    public required string WorkerId { get; init; }

    /// <summary>The newest that the API speaks.</summary>
    public int Protocol { get; init; }
    public required LeaseSettings Settings { get; init; }

    /// <summary>What somebody has ordered of a slot since it was registered with its quarantine.</summary>
    public IReadOnlyList<SlotOrder> Slots { get; set; } = [];
}

/// <param name="Resume">Forget what is held against the slot and look again.</param>
public sealed record SlotOrder(string Id, bool Resume);

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
