using RenderFarm.Api.Metrics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Workers;

/// <summary>Counts the ending of each lease once, though a worker may report it several times.</summary>
internal sealed class LeaseJournal(JobStore jobs, FarmMetrics metrics)
{
    /// <summary>The lease has not ended. False too for a deleted video, whose ending is not counted.</summary>
    public async Task<bool> OpenAsync(LeaseName lease, CancellationToken cancellationToken) =>
        await jobs.GetAsync(lease.JobId, JobScope.All, cancellationToken) is { LatestLease: { EndedAt: null } latest }
        && latest.Lease == lease;

    /// <param name="wasOpen">From <see cref="OpenAsync"/>, asked before the report was taken.</param>
    public async Task EndedAsync(
        bool wasOpen,
        string jobId,
        LeaseEnding ending,
        FailureReason? reason,
        Measurements? measured,
        CancellationToken cancellationToken
    )
    {
        if (wasOpen && await jobs.GetAsync(jobId, JobScope.All, cancellationToken) is { } job)
        {
            metrics.Ended(job, ending, reason, measured);
        }
    }
}
