using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Attempts;

/// <summary>The plan for a job on a slot as it is now, one rung further down for every out-of-memory failure before.</summary>
public static class AttemptPlanner
{
    public static PlanResult Plan(LeaseGrant grant, ModelShape shape, Slot slot)
    {
        PlanRequest request = PlanRequest.Of(shape, grant.Spec, hasImage: grant.Inputs.Count > 0);
        SlotState state = new()
        {
            Kind = slot.Kind,
            Card = slot.Description.Card,
            TotalBytes = slot.Description.TotalBytes,
            FreeBytes = slot.FreeBytes,
            HostBytes = slot.Kind == SlotKind.Cuda ? new HostMemory().AvailableBytes : null,
            Calibration = slot.Description.Calibration,
            Correction = grant.Correction,
        };
        return Planner.Plan(request, state, grant.StepDowns);
    }
}
