using System.Text.Json.Nodes;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Figures;

/// <summary>A figure of the farm and what it must be.</summary>
/// <param name="Values">What was measured, in words for names and with units.</param>
internal sealed record Measured(string What, string Limit, bool Met, JsonObject Values)
{
    public string Detail =>
        $"{string.Join(", ", Values.Select(value => $"{value.Key.Replace('_', ' ')} {value.Value?.ToJsonString()}"))} (must be: {Limit})";
}

internal static class Seconds
{
    public static JsonObject ToJson(this Distribution seconds) =>
        new()
        {
            ["times"] = seconds.Count,
            ["p50_s"] = Round(seconds.P50),
            ["p99_s"] = Round(seconds.P99),
            ["max_s"] = Round(seconds.Max),
        };

    private static JsonNode? Round(double? value) => value is { } number ? Math.Round(number, 3) : null;
}
