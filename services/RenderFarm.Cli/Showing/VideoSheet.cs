using System.Globalization;
using System.Text.Json;
using RenderFarm.Cli.Http;
using RenderFarm.Contracts.Words;
using Spectre.Console;

namespace RenderFarm.Cli.Showing;

/// <summary>A video and its attempts, for people.</summary>
internal static class VideoSheet
{
    public static void Write(IAnsiConsole console, JsonElement answer)
    {
        var video = answer.Deserialize(FarmJson.Default.Video)!;
        PlainSheet.Write(
            console,
            ("id", video.Id),
            ("status", Word.Of(video.Status)),
            ("now", RenderDisplay.Describe(video)),
            ("error", video.Error is { } error ? $"{error.Code}: {error.Message}" : null),
            ("prompt", video.Prompt),
            ("model", video.Model),
            ("size", video.Size),
            ("seconds", video.Seconds),
            ("frames", Text(video.Frames)),
            ("steps", Text(video.Steps)),
            ("seed", Text(video.Seed)),
            ("attempt", video.Attempt > 1 ? $"{Text(video.Attempt)}; show {video.Id} --attempts says what became of the others" : null),
            ("trace", answer.TryGetProperty("trace_id", out var trace) ? trace.GetString() : null),
            ("note", video.Note),
            ("warning", video.Warning),
            ("plan", answer.TryGetProperty("plan", out var plan) ? Plan(plan) : null),
            ("usage", answer.TryGetProperty("usage", out var usage) ? Members(usage) : null),
            ("download", answer.TryGetProperty("download_url", out var link) ? link.GetString() : null)
        );
    }

    public static void WriteAttempts(IAnsiConsole console, JsonElement attempts)
    {
        foreach (var attempt in attempts.EnumerateArray())
        {
            console.Say("");
            PlainSheet.Write(
                console,
                ("attempt", Member(attempt, "number")),
                ("outcome", Member(attempt, "outcome")),
                ("worker", $"{Member(attempt, "worker")} {Member(attempt, "slot")}"),
                (
                    "error",
                    attempt.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object ? Members(error) : null
                ),
                ("plan", attempt.TryGetProperty("plan", out var plan) && plan.ValueKind == JsonValueKind.Object ? Plan(plan) : null),
                (
                    "figures",
                    attempt.TryGetProperty("measurements", out var figures) && figures.ValueKind == JsonValueKind.Object
                        ? Members(figures)
                        : null
                )
            );
            if (Member(attempt, "log_tail") is { Length: > 0 } log)
            {
                console.Say(log);
            }
        }
    }

    private static string Plan(JsonElement plan) =>
        $"{Member(plan, "precision")}, {Attention(plan)}{Member(plan, "blocks_resident")} blocks resident, "
            + $"{Member(plan, "blocks_streamed")} streamed"
        + (
            plan.TryGetProperty("reasons", out var reasons)
                ? string.Concat(reasons.EnumerateArray().Select(reason => $"\n- {reason.GetString()}"))
                : ""
        );

    private static string Attention(JsonElement plan) =>
        plan.TryGetProperty("attention", out var attention) && attention.GetString() is "eight-bit" ? "eight-bit attention, " : "";

    private static string Members(JsonElement element) =>
        string.Join(
            ", ",
            element
                .EnumerateObject()
                .Where(member => member.Value.ValueKind is JsonValueKind.Number or JsonValueKind.String)
                .Select(member => $"{member.Name.Replace('_', ' ')} {member.Value}")
        );

    private static string Member(JsonElement element, string name) => element.TryGetProperty(name, out var member) ? member.ToString() : "";

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
