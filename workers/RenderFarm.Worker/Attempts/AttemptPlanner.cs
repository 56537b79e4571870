using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Attempts;

/// <summary>The plan for a job on a slot as it is now, one rung further down for every out-of-memory failure before.</summary>
public sealed class AttemptPlanner(HostWeightCache cache)
{
    /// <summary>
    /// Corrected by what was measured of plans of its own kind: the plan is made anew with the correction of the kind that
    /// came out, until that is the one it was made with.
    /// </summary>
    public PlanResult Plan(LeaseGrant grant, ModelShape shape, Slot slot)
    {
        PlanRequest request = PlanRequest.Of(shape, grant.Spec, hasImage: grant.Inputs.Count > 0);
        SlotState state = new()
        {
            Kind = slot.Kind,
            Card = slot.Description.Card,
            TotalBytes = slot.Description.TotalBytes,
            FreeBytes = slot.FreeBytes,
            HostBytes = slot.Kind == SlotKind.Cuda ? cache.RoomBytes : null,
            Calibration = slot.Description.Calibration,
        };
        PlanCorrection? correction = grant.Correction;
        for (int round = 0; ; round++)
        {
            PlanResult result = Planner.Plan(request, state with { Correction = correction }, grant.StepDowns);
            PlanCorrection? own = grant.KindCorrections.FirstOrDefault(known => known.Kind == result.Plan?.Kind)?.Correction ?? grant.Correction;
            if (result.Plan is null || own is null || own == correction) return result;
            // kinds that send to each other and back: what was planned with more care stays
            if (round >= grant.KindCorrections.Count && correction?.PeakFactor >= own.PeakFactor) return result;
            correction = own;
        }
    }
}
