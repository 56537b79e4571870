using System.Text.Json.Nodes;

namespace RenderFarm.Chaos.Figures;

/// <summary>A figure of the farm and what it must be.</summary>
/// <param name="Values">What was measured, in words for names and with units.</param>
internal sealed record Measured(string What, string Limit, bool Met, JsonObject Values)
{
    public JsonObject ToJson() => new() { ["figure"] = What, ["must_be"] = Limit, ["met"] = Met, ["measured"] = Values.DeepClone() };

    public override string ToString() => $"{(Met ? "met   " : "MISSED")}  {What}: {string.Join(", ", Values.Select(value => $"{value.Key.Replace('_', ' ')} {value.Value?.ToJsonString()}"))} (must be: {Limit})";
}

/// <summary>Seconds of many cases.</summary>
internal sealed class Sample(IEnumerable<double> seconds)
{
    private readonly double[] _sorted = [.. seconds.Order()];

    public int Count => _sorted.Length;
    public double P50 => At(0.5);
    public double P99 => At(0.99);
    public double Max => At(1);

    public JsonObject ToJson() => new() { ["times"] = Count, ["p50_s"] = Round(P50), ["p99_s"] = Round(P99), ["max_s"] = Round(Max) };

    private double At(double share) => Count == 0 ? double.NaN : _sorted[Math.Min(Count - 1, (int)(share * Count))];

    private static JsonNode? Round(double value) => double.IsNaN(value) ? null : Math.Round(value, 3);
}
