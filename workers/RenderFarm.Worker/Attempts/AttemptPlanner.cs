using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Planning;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Attempts;

/// <summary>The plan for a job on a slot as it is now, one rung further down for every out-of-memory failure before.</summary>
public sealed class AttemptPlanner(
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
        };
        var started = time.GetTimestamp();
        var told = false;
        while (true)
        {
            var result = Plan(grant, request, slot, launcher.FreeBytes(slot));
            if (
                result.Plan is not null
                || slot.Card is not { } card
                || Plan(grant, request, slot, slot.Description.TotalBytes).Plan is null
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

            if (!told)
            {
                log.LogWarning("Waiting for memory of {Slot}: {Refusal} On it now: {InUse}", slot.Id, result.Refusal?.Message, inUse);
            }

            told = true;
            await Task.Delay(LookEvery, time, cancellationToken);
        }
    }

    /// <summary>
    /// Corrected by what was measured of plans of its own kind: the plan is made anew with the correction of the kind that
    /// came out, until that is the one it was made with.
    /// </summary>
    private PlanResult Plan(LeaseGrant grant, PlanRequest request, Slot slot, long freeBytes)
    {
        var state = new SlotState()
        {
            Kind = slot.Kind,
            Card = slot.Description.Card,
            TotalBytes = slot.Description.TotalBytes,
            FreeBytes = freeBytes,
            HostBytes = slot.Kind == SlotKind.Cuda ? cache.RoomBytes : null,
            Calibration = slot.Description.Calibration,
        };
        var correction = grant.Correction;
        for (var round = 0; ; round++)
        {
            var result = Planner.Plan(request, state with { Correction = correction }, grant.StepDowns);
            var own = grant.KindCorrections.FirstOrDefault(known => known.Kind == result.Plan?.Kind)?.Correction ?? grant.Correction;
            if (result.Plan is null || own is null || own == correction)
            {
                return result;
            }
            // Kinds that send to each other and back: what was planned with more care stays
            if (round >= grant.KindCorrections.Count && correction?.PeakFactor >= own.PeakFactor)
            {
                return result;
            }

            correction = own;
        }
    }
}
