using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning;

namespace RenderFarm.Api.Plans;

/// <summary>What a job needs at the least: the smallest class of card it runs on, and how long it takes there.</summary>
/// <param name="VramClass">GiB; 0 runs anywhere.</param>
/// <param name="Bytes">Device bytes below which no plan exists; 0 for class 0.</param>
public sealed record LeastMemory(int VramClass, long Bytes, double EstimatedSeconds)
{
    private const long CpuSlotBytes = 8L << 30;

    /// <exception cref="ApiErrorException">422 <c>plan_does_not_fit</c>: no card there is can do it; with the figures.</exception>
    public static LeastMemory Of(ModelShape model, RenderSpec spec, bool hasImage = false)
    {
        var request = PlanRequest.Of(model, spec, hasImage);
        if (Planning.VramClass.Of(request) is not { } least)
        {
            var refusal = Planner.Plan(request, Planning.VramClass.SmallestCard(Bells.Classes[^1])).Refusal!;
            throw (ApiError.PlanDoesNotFit(refusal.Message) with { Param = refusal.Field }).AsException();
        }

        var result = Planner.Plan(request, least == 0 ? SlotState.Cpu(CpuSlotBytes) : Planning.VramClass.SmallestCard(least));
        return new LeastMemory(least, least == 0 ? 0 : result.Alternatives[^1].PredictedPeakBytes, result.Plan!.PredictedSeconds);
    }
}
