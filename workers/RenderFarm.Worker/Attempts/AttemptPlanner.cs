using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Planning;
using RenderFarm.Planning.Requests;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Attempts;

/// <summary>The plan for a job on a slot as it is now, one rung further down for every out-of-memory failure before.</summary>
internal sealed class AttemptPlanner(
    IOptions<WorkerOptions> options,
    RendererLauncher launcher,
    HostWeightCache cache,
    TimeProvider time,
    ILogger<AttemptPlanner> log
)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A plan for what is free. Where nothing fits only because other programs hold the card's memory, waits for them, within
    /// <see cref="WorkerOptions.CardPatienceSeconds"/>; the refusal then says who they are.
    /// </summary>
    /// <exception cref="OperationCanceledException"/>
    public async Task<PlanResult> PlanAsync(LeaseGrant grant, InstalledModel model, Slot slot, CancellationToken cancellationToken)
    {
        var request = PlanRequest.Of(model.Shape, grant.Spec, hasImage: grant.Inputs.Count > 0) with
        {
            LoraParameters = LoraSizes.Of(model.Files, grant.Spec.Loras),
            StoredIn = model.Registration.StoredIn,
            Corrections = new MeasuredCorrections(grant.Correction, grant.KindCorrections),
        };
        var started = time.GetTimestamp();
        var logged = false;
        while (true)
        {
            var result = Plan(request, slot, launcher.FreeBytes(slot), grant.StepDowns);
            if (
                result.Plan is not null
                || slot.Card is not { } card
                || Plan(request, slot, slot.Description.TotalBytes, grant.StepDowns).Plan is null
            )
            {
                return result;
            }

            var inUse = card.InUse();
            if (time.GetElapsedTime(started).TotalSeconds >= options.Value.CardPatienceSeconds)
            {
                return result with
                {
                    Refusal = new PlanRefusal(
                        $"{result.Refusal!.Message} On {slot.Description.Card} now: {inUse}.",
                        result.Refusal.LeastPeakBytes
                    ),
                };
            }

            if (!logged)
            {
                log.WaitingForMemory(slot.Id, result.Refusal?.Message, inUse);
            }

            logged = true;
            await Task.Delay(LookEvery, time, cancellationToken);
        }
    }

    private PlanResult Plan(PlanRequest request, Slot slot, long freeBytes, int stepDowns) =>
        Planner.Plan(
            request,
            new SlotState
            {
                Kind = slot.Kind,
                Card = slot.Description.Card,
                ComputeCapability = slot.Description.ComputeCapability,
                TotalBytes = slot.Description.TotalBytes,
                FreeBytes = freeBytes,
                HostBytes = slot.Kind == SlotKind.Cuda ? cache.RoomBytes : null,
                Calibration = slot.Description.Calibration,
            },
            stepDowns
        );
}
