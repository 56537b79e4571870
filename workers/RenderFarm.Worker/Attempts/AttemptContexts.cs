using System.Diagnostics;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Stopping;
using RenderFarm.Worker.Tracing;

namespace RenderFarm.Worker.Attempts;

/// <summary>Begins an attempt: its lease comes into keeping, its folder appears, its clock runs.</summary>
internal sealed class AttemptContexts(
    IOptions<WorkerOptions> options,
    LeaseHolder leases,
    WorkerDrain drain,
    WorkerMetrics metrics,
    TimeProvider time
)
{
    /// <exception cref="IOException">The folder can't be made.</exception>
    public async Task<AttemptContext> OpenAsync(Slot slot, LeaseGrant grant, InstalledModel model, LeaseSettings settings)
    {
        var leasedAt = time.GetTimestamp();
        var held = leases.HoldForAttempt(grant, settings);
        try
        {
            return new AttemptContext(held, slot, drain.HandBack)
            {
                Grant = grant,
                TraceParent = Activity.Current?.Id ?? grant.TraceParent,
                Model = model,
                Folder = AttemptFolder.Create(options.Value.AttemptsDirectory, grant.Lease.Name),
                Record = new AttemptRecord(slot.Id, grant.Spec.Model, leasedAt, time, metrics)
                {
                    Spans = new RenderSpans(Activity.Current),
                },
            };
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }
}
