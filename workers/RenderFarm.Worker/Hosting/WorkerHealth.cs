using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Loops;
using RenderFarm.Nvml;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Polling;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Hosting;

/// <summary>What <c>/health</c> shows: one look at what this worker is doing and why it is not doing more.</summary>
internal sealed record WorkerHealth
{
    public required string Name { get; init; }

    /// <summary>Null before it is registered.</summary>
    public required string? WorkerId { get; init; }
    public required bool Draining { get; init; }
    public required string? ClosedBecause { get; init; }
    public required IReadOnlyList<SlotHealth> Slots { get; init; }

    /// <summary>Why none of them is a card although one seems to be there; null where nothing is amiss.</summary>
    public required string? CardMissed { get; init; }
    public required IReadOnlyList<string> Models { get; init; }
    public required int SpoolEntries { get; init; }
    public required long SpoolBytes { get; init; }

    /// <summary>Loops that fail and are begun again.</summary>
    public required IReadOnlyList<DegradedLoop> Degraded { get; init; }
}

internal sealed record SlotHealth(string Id, string Card, string? Job, long? FreeBytes, long TotalBytes, string? Quarantine, string? InUse);

internal static class WorkerHealthEndpoints
{
    /// <summary>
    /// <c>/health</c> and <c>/health/live</c> answer as long as the process does; <c>/health/ready</c> only while it takes jobs.
    /// </summary>
    public static void MapWorkerHealth(this WebApplication app)
    {
        app.MapGet("/health", (IServiceProvider services) => Look(services));
        app.MapGet("/health/live", () => Results.Ok());
        app.MapGet(
            "/health/ready",
            (IServiceProvider services) =>
                WhyNotReady(Look(services)) is { } why
                    ? Results.Text(why, statusCode: StatusCodes.Status503ServiceUnavailable)
                    : Results.Ok()
        );
    }

    /// <summary>In words for whoever waits for it; null: it takes jobs.</summary>
    internal static string? WhyNotReady(WorkerHealth health) =>
        health.WorkerId is null ? "not registered with the farm yet"
        : health.Draining ? "draining"
        : health.ClosedBecause;

    private static WorkerHealth Look(IServiceProvider services)
    {
        var registration = services.GetRequiredService<WorkerRegistration>();
        var spool = services.GetRequiredService<UploadSpool>();
        return new WorkerHealth
        {
            Name = services.GetRequiredService<IOptions<WorkerOptions>>().Value.Name,
            WorkerId = registration.IsRegistered ? registration.WorkerId : null,
            Draining = services.GetRequiredService<WorkerDrain>().IsDraining,
            ClosedBecause = services.GetRequiredService<SlotGate>().WhyClosed(),
            Slots = [.. services.GetRequiredService<SlotDiscovery>().Slots.Select(Look)],
            CardMissed = services.GetRequiredService<SlotDiscovery>().CardMissed,
            Models = [.. services.GetRequiredService<Models.ModelCatalog>().Models.Keys],
            SpoolEntries = spool.Count,
            SpoolBytes = spool.Bytes,
            Degraded = services.GetRequiredService<LoopSupervisor>().Degraded,
        };
    }

    private static SlotHealth Look(Slot slot)
    {
        try
        {
            return new SlotHealth(
                slot.Id,
                slot.Description.Card,
                slot.CurrentJob,
                slot.FreeBytes,
                slot.Description.TotalBytes,
                slot.Quarantine,
                slot.Card?.InUse()
            );
        }
        catch (NvmlException fault)
        {
            return new SlotHealth(slot.Id, slot.Description.Card, slot.CurrentJob, null, slot.Description.TotalBytes, fault.Message, null);
        }
    }
}
