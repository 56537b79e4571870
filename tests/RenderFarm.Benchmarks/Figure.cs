using System.Globalization;
using System.Text.Json.Nodes;

namespace RenderFarm.Benchmarks;

/// <summary>One measured number and what it has to be.</summary>
internal sealed record Figure(string Name, double Value, string Unit, double Limit, bool AtLeast)
{
    public bool IsMet => AtLeast ? Value >= Limit : Value <= Limit;

    public static Figure Least(string name, double value, string unit, double limit) => new(name, value, unit, limit, AtLeast: true);

    public static Figure Most(string name, double value, string unit, double limit) => new(name, value, unit, limit, AtLeast: false);

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(IsMet ? "met   " : "MISSED")}  {Name}: {Value:0.##} {Unit} ({(AtLeast ? "at least" : "at most")} {Limit:0.##})"
        );

    public JsonObject ToJson() =>
        new()
        {
            ["name"] = Name,
            ["value"] = Math.Round(Value, 3),
            ["unit"] = Unit,
            [AtLeast ? "at_least" : "at_most"] = Limit,
            ["met"] = IsMet,
        };
}

/// <summary>What a part found: the figures that count, and everything they came from.</summary>
internal sealed record Findings(IReadOnlyList<Figure> Figures, JsonObject Details);
