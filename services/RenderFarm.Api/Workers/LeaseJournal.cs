using RenderFarm.Api.Metrics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Workers;

/// <summary>Counts the ending of each lease once, though a worker may report it several times.</summary>
internal sealed class LeaseJournal(JobStore jobs, FarmMetrics metrics)
{
    /// <summary>
    /// The lease has not ended, or was lost and would be revived by the report. False too for a deleted video, whose ending is not counted.
    /// </summary>
    public async Task<bool> OpenAsync(LeaseName lease, CancellationToken cancellationToken) =>
        await jobs.GetAsync(lease.JobId, JobScope.All, cancellationToken) is { LatestLease: { } latest } job
        && latest.Lease == lease
        && (latest.EndedAt is null || (latest.Ending == LeaseEnding.Lost && job.State == JobState.Queued));

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
