using RenderFarm.Contracts.Leases;

namespace RenderFarm.Jobs.Persistence;

/// <summary>A lease that ran out.</summary>
/// <param name="Model">Of its job.</param>
/// <param name="Worker">By the name that operators know it by.</param>
/// <param name="WorkerIsAlive">It was heard of at a time at which it could have renewed the lease, and has not.</param>
/// <param name="Reason">Null where it counts as nobody's failure.</param>
/// <param name="WaitsAgain">The job is back in the queue.</param>
public sealed record LostLease(string Model, string Worker, bool WorkerIsAlive, FailureReason? Reason, bool WaitsAgain);
