using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Videos;

/// <summary>One lease of a video as HTTP shows it.</summary>
internal sealed record Attempt
{
    public string Object { get; } = "video.attempt";
    public required int Number { get; init; }
    public required long Fence { get; init; }
    public required string Worker { get; init; }
    public required string Slot { get; init; }

    /// <summary>Cheaper plans skipped after out-of-memory failures.</summary>
    public required int StepDowns { get; init; }
    public required long LeasedAt { get; init; }
    public long? EndedAt { get; init; }

    /// <summary><c>running</c>, <c>completed</c>, <c>failed</c>, <c>released</c> or <c>lost</c>.</summary>
    public required string Outcome { get; init; }
    public VideoError? Error { get; init; }
    public double? RetryAfterSeconds { get; init; }
    public RenderPlan? Plan { get; init; }
    public Measurements? Measurements { get; init; }
    public string? LogTail { get; init; }

    /// <param name="isOperator">Who runs the farm sees what its hosts said, word by word.</param>
    public static Attempt Of(LeaseRecord lease, bool isOperator)
    {
        return new()
        {
            Number = lease.Attempt,
            Fence = lease.Fence,
            Worker = lease.WorkerId,
            Slot = lease.SlotId,
            StepDowns = lease.StepDowns,
            LeasedAt = lease.LeasedAt.ToUnixTimeSeconds(),
            EndedAt = lease.EndedAt?.ToUnixTimeSeconds(),
            Outcome = lease.Ending is { } ending ? Word.Of(ending) : "running",
            Error = lease.Reason is { } reason ? new VideoError(Word.Of(reason), Shown(lease.Message) ?? "") : null,
            RetryAfterSeconds = lease.Outcome?.RetryAfterSeconds,
            Plan = lease.Plan,
            Measurements = lease.Measurements,
            LogTail = Shown(lease.LogTail),
        };

        string? Shown(string? text) => isOperator ? text : PublicText.Of(text);
    }
}

internal sealed record AttemptList(IReadOnlyList<Attempt> Data)
{
    public string Object { get; } = "list";
}
