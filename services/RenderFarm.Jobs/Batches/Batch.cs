using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Batches;

/// <summary>Jobs that were submitted as one.</summary>
public sealed record Batch
{
    public required string Id { get; init; }
    public required string KeyId { get; init; }
    public required int Total { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? CancelledAt { get; init; }

    /// <summary>When the last of its jobs ended; null while one has not.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Jobs by state; states without a job are absent, and so are deleted jobs.</summary>
    public IReadOnlyDictionary<JobState, int> Counts { get; init; } = new Dictionary<JobState, int>();
}

/// <summary>A validated batch, ready to become rows.</summary>
public sealed record NewBatch
{
    public required string Id { get; init; }
    public required string KeyId { get; init; }
    public string? IdempotencyKey { get; init; }
    public string? RequestHash { get; init; }
    public bool IsClientRetry { get; init; }
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}

/// <summary>What became of a batch's submission.</summary>
public abstract record BatchResult(Batch Batch)
{
    public sealed record Created(Batch Batch) : BatchResult(Batch)
    {
        internal IReadOnlyList<JoinedJob> Joined { get; init; } = [];
    }

    /// <summary>The same request came before.</summary>
    public sealed record Existing(Batch Batch) : BatchResult(Batch);

    /// <summary>The idempotency key belongs to another request.</summary>
    public sealed record Conflict(Batch Batch) : BatchResult(Batch);
}
