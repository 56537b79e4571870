using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Api.Videos;

/// <summary>What a job needs at the least: the smallest class of card it runs on, and how long it takes there.</summary>
/// <param name="VramClass">GiB; 0 runs anywhere.</param>
/// <param name="Bytes">Device bytes below which no plan exists; 0 for class 0.</param>
internal sealed record LeastMemory(int VramClass, long Bytes, double EstimatedSeconds)
{
    private const long CpuSlotBytes = 8 * Gibibytes.One;

    private const int MostKept = 1_000;

    /// <summary>The same kind of video is asked for again and again; forgotten with the registration it was worked out for.</summary>
    private static readonly ConditionalWeakTable<ModelRegistration, ConcurrentDictionary<Kind, LeastMemory>> Kept = [];

    /// <exception cref="ApiErrorException">422 <c>plan_does_not_fit</c>: no card there is can do it; with the figures.</exception>
    public static LeastMemory Of(ModelRegistration model, RenderSpec spec, bool hasImage = false)
    {
        var request = PlanRequest.Of(model.Shape, spec, hasImage) with { StoredIn = model.StoredIn };
        var kind = new Kind(
            request.Width,
            request.Height,
            request.Frames,
            request.Steps,
            request.GuidanceScale,
            request.Loras,
            request.StepCache,
            request.HasImage,
            request.Quality,
            request.Pins
        );
        var kept = Kept.GetOrCreateValue(model);
        if (kept.TryGetValue(kind, out var known))
        {
            return known;
        }

        if (kept.Count >= MostKept)
        {
            kept.Clear();
        }

        return kept[kind] = WorkOut(request);
    }

    private static LeastMemory WorkOut(PlanRequest request)
    {
        if (Planning.VramClass.Of(request) is not { } least)
        {
            var refusal = Planner.Plan(request, Planning.VramClass.SmallestCard(Bells.Classes[^1])).Refusal!;
            throw (ApiError.PlanDoesNotFit(refusal.Message) with { Param = refusal.Field }).AsException();
        }

        var result = Planner.Plan(request, least == 0 ? SlotState.Cpu(CpuSlotBytes) : Planning.VramClass.SmallestCard(least));
        return new LeastMemory(least, least == 0 ? 0 : result.Alternatives[^1].PredictedPeakBytes, result.Plan!.PredictedSeconds);
    }

    private sealed record Kind(
        int Width,
        int Height,
        int Frames,
        int Steps,
        double GuidanceScale,
        int Loras,
        bool StepCache,
        bool HasImage,
        Quality Quality,
        PlanPins Pins
    );
}
