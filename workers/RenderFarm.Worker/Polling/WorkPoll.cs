using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Polling;

/// <summary>One request for work, held open by the API until there is some or its time is over.</summary>
internal sealed class WorkPoll(
    IOptions<WorkerOptions> options,
    FarmApi api,
    WorkerRegistration registration,
    RendererLauncher launcher,
    HostWeightCache cache,
    RendererTurns turns,
    WorkerMetrics metrics
)
{
    /// <summary>Slots that share turns ask one after the other.</summary>
    private const double SharedWaitSeconds = 2;

    /// <returns>Null when there is nothing to do.</returns>
    public async Task<LeaseGrant?> AskAsync(Slot slot, CancellationToken cancellationToken)
    {
        var wait = options.Value.LeaseWaitSeconds;
        var request = new LeaseRequest
        {
            WorkerId = registration.WorkerId,
            Instance = registration.Instance,
            SlotId = slot.Id,
            FreeBytes = launcher.FreeBytes(slot),
            CachedModels = cache.Models,
            WaitSeconds = turns.AreScarce ? Math.Min(wait, SharedWaitSeconds) : wait,
        };
        var grant = await api.LeaseAsync(request, cancellationToken);
        metrics.Leased(grant is null ? "none" : "granted");
        return grant;
    }
}
