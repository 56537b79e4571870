using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Leases;

/// <summary>Takes leases into keeping: from then on each is renewed, and a cancellation from the control queue finds it.</summary>
internal sealed class LeaseHolder(FarmApi api, RunningLeases running, WorkerMetrics metrics, TimeProvider time, ILogger<LeaseKeeper> log)
{
    /// <summary>While a job renders. When no renewal gets through in time, the lease counts as lost.</summary>
    public HeldLease HoldForAttempt(LeaseGrant grant, LeaseSettings settings) =>
        Hold(grant.Lease, grant.LeaseSeconds, settings, new LeaseProgress(RenderStage.Loading, 0, grant.Spec.Steps), strict: true);

    /// <summary>While a finished video is uploaded. It goes on past any deadline: only the API can say that the fence has lost.</summary>
    public HeldLease HoldForUpload(LeaseId lease, LeaseSettings settings) =>
        Hold(lease, settings.UploadLeaseSeconds, settings, new LeaseProgress(RenderStage.Uploading), strict: false);

    private HeldLease Hold(LeaseId lease, double leaseSeconds, LeaseSettings settings, LeaseProgress first, bool strict)
    {
        var keeper = new LeaseKeeper(api, lease, leaseSeconds, settings, first, strict, time, metrics, log);
        return new HeldLease(keeper, running.Add(lease.Name, keeper));
    }
}

/// <summary>A lease in keeping, until this is disposed.</summary>
internal sealed class HeldLease(LeaseKeeper keeper, IDisposable listing) : IAsyncDisposable
{
    public LeaseKeeper Keeper => keeper;

    public async ValueTask DisposeAsync()
    {
        listing.Dispose();
        await keeper.DisposeAsync();
    }
}
