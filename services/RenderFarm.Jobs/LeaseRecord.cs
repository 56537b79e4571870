using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Jobs;

/// <summary>One lease of a job, as it was.</summary>
public sealed record LeaseRecord
{
    public required LeaseName Lease { get; init; }
    public string JobId => Lease.JobId;
    public long Fence => Lease.Fence;
    public required string WorkerId { get; init; }
    public required string SlotId { get; init; }
    public required string Card { get; init; }
    public required int Attempt { get; init; }
    public required int StepDowns { get; init; }
    public required DateTimeOffset LeasedAt { get; init; }
    public DateTimeOffset? RenderingAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public LeaseEnding? Ending { get; init; }
    public FailureReason? Reason { get; init; }
    public string? Message { get; init; }
    public LeaseOutcome? Outcome { get; init; }
    public RenderPlan? Plan { get; init; }
    public Measurements? Measurements { get; init; }
    public string? LogTail { get; init; }
}
