using System.Text.Json.Serialization;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Leases;

/// <summary><c>POST /worker/v1/leases/{job}/complete</c>. Repeats safely by its lease.</summary>
public sealed record CompleteRequest : LeaseReport
{
    public required IReadOnlyList<Artifact> Artifacts { get; init; }
    public Measurements? Measurements { get; init; }
    public string? LogTail { get; init; }

    /// <summary>Something the user should know of a good result, such as that all frames are black.</summary>
    public string? Warning { get; init; }
}

/// <summary><c>POST /worker/v1/leases/{job}/fail</c>. Repeats safely by its lease.</summary>
public sealed record FailRequest : LeaseReport
{
    public required FailureReason Reason { get; init; }

    /// <summary>One sentence for the user: what happened and what to do.</summary>
    public required string Message { get; init; }

    /// <summary>The renderer finished at least one more denoise step than any attempt before.</summary>
    public bool Progressed { get; init; }
    public Measurements? Measurements { get; init; }
    public string? LogTail { get; init; }
}

/// <summary><c>POST /worker/v1/leases/{job}/release</c>: hand the job back, no attempt burnt. Repeats safely.</summary>
public sealed record ReleaseRequest : LeaseReport
{
    /// <summary><c>interrupted</c> or <c>draining</c>.</summary>
    public required string Reason { get; init; }
}

/// <summary>What the ending of a lease came to; the same answer for every repeat.</summary>
/// <param name="State">The job's state after it.</param>
/// <param name="RetryAfterSeconds">Set when the job will be tried again.</param>
public sealed record LeaseOutcome(JobState State, double? RetryAfterSeconds = null);

/// <summary>Why an attempt failed. What follows from each is decided by the job store, not by the worker.</summary>
[JsonConverter(typeof(SnakeCaseEnum<FailureReason>))]
public enum FailureReason
{
    Cancelled,
    GpuOutOfMemory,
    HostOutOfMemory,
    InvalidOutput,
    ModelUnavailable,
    CheckpointInvalid,
    WorkerLost,
    RendererCrashed,
    RendererTimeout,
    EncoderFailed,
    DiskFull,

    /// <summary>The request itself can't be rendered; trying again is pointless.</summary>
    InvalidRequest,

    /// <summary>No plan fits the slot as it is now.</summary>
    PlanDoesNotFit,

    /// <summary>Something outside the job (network, storage) that may pass.</summary>
    Transient,
}

/// <summary>What was measured while rendering; null where a stage was not reached or a device has no such figure.</summary>
public sealed record Measurements
{
    public double? LoadSeconds { get; init; }
    public double? EncodeTextSeconds { get; init; }
    public double? EncodeImageSeconds { get; init; }

    /// <summary>Median of the denoise steps.</summary>
    public double? StepSeconds { get; init; }
    public double? DenoiseSeconds { get; init; }
    public double? DecodeSeconds { get; init; }
    public double? UploadSeconds { get; init; }

    /// <summary>From lease to the start of the first denoise step.</summary>
    public double? SecondsToFirstStep { get; init; }
    public long? PredictedPeakBytes { get; init; }

    /// <summary>Device bytes on a card; the process's peak resident set on a CPU slot.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>Measured peak of each stage, by stage name.</summary>
    public IReadOnlyDictionary<string, long>? StagePeakBytes { get; init; }
    public long? FreeBytes { get; init; }
    public long? RequestedBytes { get; init; }
    public string? Card { get; init; }
    public int? RendererProcessId { get; init; }
    public double? ProcessStartSeconds { get; init; }
}
