using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
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

    public static Attempt Of(LeaseRecord lease) =>
        new()
        {
            Number = lease.Attempt,
            Fence = lease.Fence,
            Worker = lease.WorkerId,
            Slot = lease.SlotId,
            StepDowns = lease.StepDowns,
            LeasedAt = lease.LeasedAt.ToUnixTimeSeconds(),
            EndedAt = lease.EndedAt?.ToUnixTimeSeconds(),
            Outcome = lease.Ending switch
            {
                null => "running",
                LeaseEnding.Completed => "completed",
                LeaseEnding.Failed => "failed",
                LeaseEnding.Released => "released",
                _ => "lost",
            },
            Error = lease.Reason is { } reason ? new VideoError(Wire.Word(reason), lease.Message ?? "") : null,
            RetryAfterSeconds = lease.Outcome?.RetryAfterSeconds,
            Plan = lease.Plan,
            Measurements = lease.Measurements,
            LogTail = lease.LogTail,
        };
}

internal sealed record AttemptList(IReadOnlyList<Attempt> Data)
{
    public string Object { get; } = "list";
}
