using System.Text.Json.Serialization;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Contracts.Messages;

/// <summary>To one worker's control queue: stop this attempt at once. The lease's renewal says the same, later.</summary>
/// <param name="Digest">Of the lease's token, which itself is on no queue.</param>
public sealed record CancelAttempt(string JobId, long Fence, string Digest)
{
    [JsonIgnore]
    public LeaseName Lease => new(JobId, Fence, Digest);

    public static CancelAttempt Of(LeaseName lease) => new(lease.JobId, lease.Fence, lease.Digest);
}
