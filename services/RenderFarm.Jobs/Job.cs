using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs;

/// <summary>A job as it stands: what HTTP shows as a video.</summary>
public sealed record Job
{
    public required string Id { get; init; }
    public required string KeyId { get; init; }
    public required RenderSpec Spec { get; init; }
    public IReadOnlyList<StoredInput> Inputs { get; init; } = [];
    public required JobState State { get; init; }
    public required RenderStage Stage { get; init; }

    /// <summary>Denoise steps done, of <see cref="Steps"/>.</summary>
    public int Step { get; init; }
    public int Steps { get; init; }
    public required int Priority { get; init; }
    public required int VramClass { get; init; }
    public required long LeastVramBytes { get; init; }
    public required double EstimatedSeconds { get; init; }
    public required double OrderKey { get; init; }

    /// <summary>Not offered to any worker before this time.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The newest; of fence 0 before the first.</summary>
    public required LeaseName Lease { get; init; }
    public long Fence => Lease.Fence;

    /// <summary>Failures so far.</summary>
    public required int Failures { get; init; }
    public required int MaxAttempts { get; init; }
    public required int StepDowns { get; init; }
    public string? WorkerId { get; init; }

    /// <summary>The worker of the newest lease, ended or not; null before the first.</summary>
    public string? LatestWorkerId { get; init; }
    public string? SlotId { get; init; }
    public bool CancelRequested { get; init; }
    public bool Deleted { get; init; }

    /// <summary>Set exactly when <see cref="State"/> is failed or cancelled.</summary>
    public JobError? Error { get; init; }
    public string? Warning { get; init; }

    /// <summary>The fence whose objects are the result; set exactly in completed and expired.</summary>
    public long? WinningFence { get; init; }
    public IReadOnlyList<Artifact> Artifacts { get; init; } = [];
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public string? BatchId { get; init; }
    public int? BatchLine { get; init; }
    public string? RemixedFromId { get; init; }
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
    public string? WebhookUrl { get; init; }

    /// <summary>The span in which it was taken, in W3C's words: all else of it hangs from there.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The newest lease: plan and figures. Null before the first, and in lists.</summary>
    public LeaseRecord? LatestLease { get; init; }

    /// <summary>The try under way or the last one, numbered from 1; 0 before the first.</summary>
    public int Attempt =>
        State switch
        {
            JobState.Queued => Failures,
            JobState.Failed or JobState.Cancelled => Math.Max(Failures, Fence > 0 ? 1 : 0),
            _ => Failures + 1,
        };
}

/// <param name="Code">As in the public interface: <c>gpu_out_of_memory</c>, <c>poison</c>, <c>cancelled</c>, …</param>
public sealed record JobError(string Code, string Message)
{
    public static readonly JobError Cancelled = new(Word.Of(FailureReason.Cancelled), "The video was cancelled.");
}
