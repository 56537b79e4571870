using System.Text.Json.Serialization;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Worker.Leases;

/// <summary>For how long a lease is believed in.</summary>
/// <param name="LeaseSeconds">As it was granted; each renewal says anew.</param>
/// <param name="Patience">
/// Without a renewal that gets through the work goes on for so long; null: for ever, since only the API can say that it is in vain.
/// </param>
internal sealed record LeaseTerms(LeaseSettings Settings, double LeaseSeconds, TimeSpan? Patience)
{
    /// <summary>Of a lease of so many seconds, those in which nobody else can have been given the job.</summary>
    public TimeSpan Allowance(double leaseSeconds) => TimeSpan.FromSeconds(Math.Max(0, leaseSeconds - Settings.KillMarginSeconds));
}

/// <summary>Why a lease is not this worker's any more.</summary>
internal enum LeaseLoss
{
    /// <summary>Another lease of the job is newer, or the job has ended.</summary>
    [JsonStringEnumMemberName("taken")]
    Taken,

    [JsonStringEnumMemberName("key_revoked")]
    KeyRevoked,

    /// <summary>No renewal got through for longer than <c>Worker:OrphanMinutes</c>.</summary>
    [JsonStringEnumMemberName("orphaned")]
    Orphaned,

    /// <summary>Not even the first one; nothing was rendered.</summary>
    [JsonStringEnumMemberName("unconfirmed")]
    Unconfirmed,

    /// <summary>The API did not know the job for as long as its video was kept.</summary>
    [JsonStringEnumMemberName("unclaimed")]
    Unclaimed,
}
