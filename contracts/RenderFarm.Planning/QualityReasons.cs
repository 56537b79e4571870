using System.Globalization;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;
using RenderFarm.Planning.Schemes;
using RenderFarm.Planning.Stages;

namespace RenderFarm.Planning;

/// <summary>Why a plan's precision is what it is under the quality that was asked for, by the plan's own figures.</summary>
internal static class QualityReasons
{
    public static string Of(PlanDraft plan, PlanNeighbours neighbours)
    {
        var way = plan.Denoise.Choice.Way;
        var quality = $"Quality {Word.Of(plan.Context.Request.Quality)}: {Named(way)}{Error(way)}";
        return plan.Context.Classes.Count < 2 ? $"{quality}."
            : plan.Context.Classes[0].Precisions.Contains(way.Precision) ? $"{quality}, {WhyExact(plan, neighbours.InEightBits)}."
            : $"{quality}, {WhyEightBits(plan, neighbours.Exact)}.";
    }

    /// <summary>What such a sentence gives as the reason, for a line of a table.</summary>
    public static string Why(RenderPlan plan) =>
        plan.Reasons.FirstOrDefault(reason => reason.StartsWith("Quality ", StringComparison.Ordinal)) is { } said
        && said.IndexOf("), ", StringComparison.Ordinal) is > 0 and var end
            ? said[(end + 3)..].TrimEnd('.')
            : "";

    private static string WhyExact(PlanDraft plan, PlanDraft? eight) =>
        eight is null
            ? "nothing in eight bits is both possible here and exact enough"
            : $"{Named(eight.Denoise.Choice.Way)} would be {Times(plan.TotalSeconds / eight.TotalSeconds)} as fast, and "
                + $"{Times(QualityClass.LeastGain)} is asked of it";

    private static string WhyEightBits(PlanDraft plan, PlanDraft? exact)
    {
        if (exact is not null)
        {
            return $"{Times(exact.TotalSeconds / plan.TotalSeconds)} as fast as {Named(exact.Denoise.Choice.Way)} "
                + $"({Names.Seconds(exact.TotalSeconds)})";
        }

        var own = plan.Context.Classes[0].Precisions[0];
        var host = plan.Context.HostBytesNeeded(own);
        return plan.Context.Slot.HostBytes < host
            ? $"as {Word.Of(own)} weights ({Names.Gib(host)}) don't fit the {Names.Gib(plan.Context.Slot.HostBytes!.Value)} of host memory"
            : $"as nothing in {Word.Of(own)} fits the card's memory";
    }

    private static string Named(DenoiseWay way) =>
        way.Attention == AttentionPrecision.Full ? Word.Of(way.Precision) : $"{Word.Of(way.Precision)} with eight-bit attention";

    private static string Error(DenoiseWay way) =>
        SchemeErrors.Of(way.Precision, way.Attention) is { } error
            ? string.Create(CultureInfo.InvariantCulture, $" (velocity error {error:0.000})")
            : " (error never measured)";

    private static string Times(double factor) => string.Create(CultureInfo.InvariantCulture, $"{factor:0.00} times");
}
