using RenderFarm.Contracts.Videos;

namespace RenderFarm.Jobs.Intake;

/// <summary>A validated request, defaults filled in, ready to become a row.</summary>
public sealed record NewJob
{
    /// <summary>From <see cref="JobIds.New"/>; made beforehand because input files are stored under it.</summary>
    public required string Id { get; init; }
    public required string KeyId { get; init; }
    public required RenderSpec Spec { get; init; }
    public IReadOnlyList<StoredInput> Inputs { get; init; } = [];

    /// <summary>0 to 100, higher first.</summary>
    public int Priority { get; init; } = 50;

    /// <summary>The smallest class of card it runs on, in GiB; 0 runs on any slot, the CPU included.</summary>
    public required int VramClass { get; init; }

    /// <summary>Device bytes below which no plan exists; 0 for class 0.</summary>
    public required long LeastVramBytes { get; init; }

    /// <summary>What the job adds to its key's virtual time.</summary>
    public required double EstimatedSeconds { get; init; }
    public int MaxAttempts { get; init; } = 3;

    /// <summary>The client's <c>Idempotency-Key</c>, or an intake message's id.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Digest of the canonical request, file bytes included: tells a repeat from another request under the same key.</summary>
    public string? RequestHash { get; init; }

    /// <summary>The client says that it sends this again: an equal request of the last ten minutes is the same video.</summary>
    public bool IsClientRetry { get; init; }
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
    public string? WebhookUrl { get; init; }

    /// <summary>How long the artifacts are kept after completion; null keeps them.</summary>
    public TimeSpan? ExpiresAfter { get; init; }
    public string? RemixedFromId { get; init; }
    public string? BatchId { get; init; }

    /// <summary>Numbered from 1 within the batch.</summary>
    public int? BatchLine { get; init; }

    /// <summary>W3C traceparent of the submitting request.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>What became of a submission.</summary>
public abstract record SubmitResult(Job Job)
{
    public sealed record Created(Job Job) : SubmitResult(Job);

    /// <summary>The same request came before: its video.</summary>
    public sealed record Existing(Job Job) : SubmitResult(Job);

    /// <summary>The idempotency key belongs to another request: 409 <c>idempotency_conflict</c>.</summary>
    public sealed record Conflict(Job Job) : SubmitResult(Job);
}
