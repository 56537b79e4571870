using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Leases;

/// <summary>Takes leases into keeping: from then on each is renewed, and a cancellation from the control queue finds it.</summary>
internal sealed class LeaseHolder(
    IOptions<WorkerOptions> options,
    FarmApi api,
    RunningLeases running,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<LeaseKeeper> log
)
{
    /// <summary>While a job renders. When no renewal gets through, for <see cref="WorkerOptions.OrphanMinutes"/>.</summary>
    public HeldLease HoldForAttempt(LeaseGrant grant, LeaseSettings settings) =>
        Hold(
            grant.Lease,
            new LeaseTerms(settings, grant.LeaseSeconds, TimeSpan.FromMinutes(options.Value.OrphanMinutes)),
            new LeaseProgress(RenderStage.Loading, 0, grant.Spec.Steps)
        );

    /// <summary>While a finished video is uploaded. It goes on past any deadline: only the API can say that the fence has lost.</summary>
    public HeldLease HoldForUpload(LeaseId lease, LeaseSettings settings) =>
        Hold(lease, new LeaseTerms(settings, settings.UploadLeaseSeconds, Patience: null), new LeaseProgress(RenderStage.Uploading));

    private HeldLease Hold(LeaseId lease, LeaseTerms terms, LeaseProgress first)
    {
        var keeper = new LeaseKeeper(api, lease, terms, first, time, metrics, log);
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
