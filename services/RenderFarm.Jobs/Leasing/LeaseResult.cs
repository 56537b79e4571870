using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Jobs.Leasing;

/// <summary>The answer to a worker that asks for work.</summary>
public abstract record LeaseResult
{
    public sealed record Granted(LeasedJob Job) : LeaseResult;

    /// <summary>Nothing that this slot could run, or the worker is draining: put the bell down.</summary>
    public sealed record Nothing : LeaseResult;

    /// <summary>Another start of this worker's identity has taken its place.</summary>
    public sealed record Superseded(string Name, string Host) : LeaseResult;

    /// <summary>No such worker or slot is registered: register again.</summary>
    public sealed record UnknownWorker : LeaseResult;
}

/// <summary>A job under its new lease. The API turns <see cref="Inputs"/> into links and this into a <see cref="LeaseGrant"/>.</summary>
public sealed record LeasedJob
{
    public required LeaseId Lease { get; init; }
    public string Id => Lease.JobId;
    public long Fence => Lease.Fence;
    public required int Attempt { get; init; }
    public required int StepDowns { get; init; }
    public required double LeaseSeconds { get; init; }

    /// <summary>Since the submission, by the database's clock.</summary>
    public required double WaitedSeconds { get; init; }

    /// <summary>What that was promised to be; null where nothing was.</summary>
    public double? PromisedSeconds { get; init; }
    public required int VramClass { get; init; }

    /// <summary>Of the key whose job it is; null is the default one.</summary>
    public string? KeyClass { get; init; }

    /// <summary>Since it came, or came back, to the queue, by the same clock.</summary>
    public double QueuedSeconds { get; init; }
    public required RenderSpec Spec { get; init; }
    public required IReadOnlyList<StoredInput> Inputs { get; init; }
    public MeasuredCorrections Corrections { get; init; } = MeasuredCorrections.None;
    public string? TraceParent { get; init; }
}
