using System.Globalization;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Planning;

/// <summary>Plans as lines of text, for terminals and logs.</summary>
public static class PlanTable
{
    private static readonly string[] Header =
    [
        "", "precision", "attention", "error", "resident", "streamed", "ring", "ffn chunk", "guidance", "text", "vae tile", "peak", "host",
        "step", "total",
    ];

    /// <summary>A result with its alternatives: a line per plan, the chosen one marked, then the reasons.</summary>
    public static IReadOnlyList<string> Of(PlanResult result)
    {
        var rows = result.Alternatives.Select(plan => Row(Mark(plan, result.Plan), plan));
        var lines = new List<string>(Align([Header, .. rows]));
        if (result.Refusal is { } refusal)
        {
            lines.Add(refusal.Message);
        }

        if (result.Plan is { } chosen)
        {
            lines.AddRange(chosen.Reasons.Select(reason => $"- {reason}"));
        }

        return lines;
    }

    /// <summary>One line per card size, with what would be chosen on it.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<(string Card, PlanResult Result)> results) =>
        Align([
                ["card", .. Header[1..]],
                .. results.Select(row => row.Result.Plan is { } plan ? Row(row.Card, plan) : NoPlan(row.Card, row.Result)),
            ])
            .ToList();

    /// <summary>One line per card, with what is planned on it in words, and why in that precision.</summary>
    public static IReadOnlyList<string> InWords(IEnumerable<(string Card, PlanResult Result)> results) =>
        Align([
                ["card", "peak", "host", "step", "total", "plan", "why"],
                .. results.Select(row =>
                    row.Result.Plan is { } plan
                        ? InWords(row.Card, plan)
                        : [row.Card, "", "", "", "", "none", row.Result.Refusal?.Message ?? ""]
                ),
            ])
            .ToList();

    private static string[] InWords(string card, RenderPlan plan) =>
        [
            card,
            Names.Gib(plan.PredictedPeakBytes),
            Names.Gib(plan.HostBytes),
            Names.Seconds(plan.PredictedStepSeconds),
            Names.Seconds(plan.PredictedSeconds),
            Word.Of(plan.Precision)
                + (plan.Attention == AttentionPrecision.EightBit ? ", eight-bit attention, " : ", ")
                + (plan.BlocksStreamed == 0 ? "" : $"{plan.BlocksStreamed} of ")
                + (plan.BlocksStreamed + plan.BlocksResident)
                + (plan.BlocksStreamed == 0 ? " resident" : " streamed"),
            QualityReasons.Why(plan),
        ];

    private static string[] NoPlan(string first, PlanResult result) =>
        [
            first,
            "does not fit", "", "", "", "", "", "", "", "", "",
            result.Refusal?.LeastPeakBytes is { } least ? $"≥ {Names.Gib(least)}" : "",
            "",
            "",
            "",
        ];

    private static string[] Row(string first, RenderPlan plan) =>
        [
            first,
            Word.Of(plan.Precision),
            Word.Of(plan.Attention),
            plan.VelocityError is { } error ? error.ToString("0.000", CultureInfo.InvariantCulture) : "-",
            $"{plan.BlocksResident}",
            $"{plan.BlocksStreamed}",
            plan.RingSlots == 0 ? "-" : $"{plan.RingSlots}",
            plan.FfnChunkTokens == 0 ? "all" : $"{plan.FfnChunkTokens}",
            plan.GuidanceBatched ? "batched" : "in turn",
            Word.Of(plan.TextEncoder),
            plan.VaeTile == 0 ? "whole" : $"{plan.VaeTile}",
            Names.Gib(plan.PredictedPeakBytes),
            Names.Gib(plan.HostBytes),
            Names.Seconds(plan.PredictedStepSeconds),
            Names.Seconds(plan.PredictedSeconds),
        ];

    private static string Mark(RenderPlan plan, RenderPlan? chosen) =>
        !plan.Fits ? "too large"
        : chosen is not null && (plan with { Reasons = chosen.Reasons, StagePeakBytes = chosen.StagePeakBytes }) == chosen ? "chosen"
        : "cheaper";

    private static IEnumerable<string> Align(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
