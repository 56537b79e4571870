using System.Text.Json.Serialization;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Contracts.Messages;

/// <summary>To one worker's control queue: stop this attempt at once. The lease's renewal says the same, later.</summary>
public sealed record CancelAttempt(string JobId, long Fence)
{
    [JsonIgnore]
    public LeaseId Lease => new(JobId, Fence);

    public static CancelAttempt Of(LeaseId lease) => new(lease.JobId, lease.Fence);
}
