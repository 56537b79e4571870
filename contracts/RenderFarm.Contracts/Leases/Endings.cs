using System.Text.Json.Serialization;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

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
    public required ReleaseReason Reason { get; init; }

    /// <summary>One sentence more than the reason, for the attempt's record.</summary>
    public string? Message { get; init; }
}

/// <summary>What the ending of a lease came to; the same answer for every repeat.</summary>
/// <param name="State">The job's state after it.</param>
/// <param name="RetryAfterSeconds">Set when the job will be tried again.</param>
public sealed record LeaseOutcome(JobState State, double? RetryAfterSeconds = null);

/// <summary>Why an attempt failed. What follows from each is decided by the job store, not by the worker.</summary>
[JsonConverter(typeof(WordConverter<FailureReason>))]
public enum FailureReason
{
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    [JsonStringEnumMemberName("gpu_out_of_memory")]
    GpuOutOfMemory,

    /// <summary>The card failed under the job, as its driver says.</summary>
    [JsonStringEnumMemberName("gpu_lost")]
    GpuLost,

    [JsonStringEnumMemberName("host_out_of_memory")]
    HostOutOfMemory,

    [JsonStringEnumMemberName("invalid_output")]
    InvalidOutput,

    [JsonStringEnumMemberName("model_unavailable")]
    ModelUnavailable,

    [JsonStringEnumMemberName("checkpoint_invalid")]
    CheckpointInvalid,

    [JsonStringEnumMemberName("worker_lost")]
    WorkerLost,

    [JsonStringEnumMemberName("renderer_crashed")]
    RendererCrashed,

    [JsonStringEnumMemberName("renderer_timeout")]
    RendererTimeout,

    [JsonStringEnumMemberName("encoder_failed")]
    EncoderFailed,

    [JsonStringEnumMemberName("disk_full")]
    DiskFull,

    /// <summary>The request itself can't be rendered; trying again is pointless.</summary>
    [JsonStringEnumMemberName("invalid_request")]
    InvalidRequest,

    /// <summary>No plan fits the slot as it is now.</summary>
    [JsonStringEnumMemberName("plan_does_not_fit")]
    PlanDoesNotFit,

    /// <summary>Something outside the job (network, storage) that may pass.</summary>
    [JsonStringEnumMemberName("transient")]
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
