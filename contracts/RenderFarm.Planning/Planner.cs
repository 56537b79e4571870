using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Requests;
using RenderFarm.Planning.Stages;

namespace RenderFarm.Planning;

/// <summary>
/// The render plan as a pure function: the fastest way to run a job that stays within free − reserve, or a refusal
/// with the figures.
/// </summary>
/// <remarks>
/// The stages (text, image, denoise, decode) follow one another and give their memory back, so each is chosen on its
/// own: fastest under the same budget, and of near ties the leanest. A larger budget only adds choices; that is why more memory never
/// gives a slower plan. A step-down after an out-of-memory failure plans again as if only nine tenths of the last plan's peak were
/// there, and the list of alternatives is that ladder walked from unlimited memory to the least. Every plan that is
/// considered is corrected by what was measured of its own kind (<see cref="PlanRequest.Corrections"/>), so the one that is
/// chosen is right by its own figures.
/// </remarks>
public static class Planner
{
    /// <summary>A rung of the ladder has at most this part of the peak of the one above.</summary>
    private const double Rung = 0.9;

    /// <param name="stepDowns">How many cheaper plans to skip, after out-of-memory failures of this job.</param>
    public static PlanResult Plan(PlanRequest request, SlotState slot, int stepDowns = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stepDowns);
        var context = new PlanContext(request, slot, request.Geometry, SlotRates.Of(slot));
        var budget = slot.BudgetBytes;
        if (WhyUnfit(slot) is { } unfit)
        {
            return Refused(new(unfit + "."), [], budget);
        }

        if (PlanPinRules.Check(context) is { } badPin)
        {
            return Refused(badPin, [], budget);
        }

        var stages = new PlanStages(context);
        var faster = Ladder(stages, long.MaxValue).TakeWhile(draft => draft.PeakBytes > budget).ToList();
        var fitting = Ladder(stages, budget).ToList();
        var alternatives = faster
            .Select(draft => draft.ToPlan(fits: false, [PlanReasons.InOneLine(draft)]))
            .Concat(fitting.Select(draft => draft.ToPlan(fits: true, [PlanReasons.InOneLine(draft)])))
            .ToList();
        if (stepDowns >= fitting.Count)
        {
            return Refused(PlanRefusals.DoesNotFit(context, faster, fitting, stepDowns), alternatives, budget);
        }

        var chosen = fitting[stepDowns];
        return new()
        {
            Plan = chosen.ToPlan(
                fits: true,
                PlanReasons.Of(
                    chosen,
                    new PlanNeighbours
                    {
                        Faster = faster.LastOrDefault(),
                        Fastest = stepDowns == 0 ? stages.FastestLike(chosen, budget) : null,
                        Exact = stages.Exact(budget),
                        InEightBits = stages.InEightBits(budget),
                    },
                    stepDowns
                )
            ),
            Alternatives = alternatives,
            BudgetBytes = budget,
        };
    }

    /// <summary>Whether there is any plan at all; cheaper than asking for it.</summary>
    public static bool Fits(PlanRequest request, SlotState slot)
    {
        var context = new PlanContext(request, slot, request.Geometry, SlotRates.Of(slot));
        return WhyUnfit(slot) is null
            && PlanPinRules.Check(context) is null
            && new PlanStages(context).LeastPeakBytes <= slot.BudgetBytes;
    }

    private static string? WhyUnfit(SlotState slot) =>
        slot.Kind == SlotKind.Cuda ? CardFitness.WhyNot(slot.Card, slot.ComputeCapability) : null;

    private static IEnumerable<PlanDraft> Ladder(PlanStages stages, long budget)
    {
        if (stages.LeastPeakBytes is not { } least)
        {
            yield break;
        }

        for (var draft = stages.Best(budget); draft is not null; draft = stages.Best(Math.Max(least, (long)(draft.PeakBytes * Rung))))
        {
            yield return draft;
            if (draft.PeakBytes <= least)
            {
                yield break;
            }
        }
    }

    private static PlanResult Refused(PlanRefusal refusal, IReadOnlyList<RenderPlan> alternatives, long budget) =>
        new()
        {
            Refusal = refusal,
            Alternatives = alternatives,
            BudgetBytes = budget,
        };
}
