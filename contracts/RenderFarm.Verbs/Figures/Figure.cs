using System.Globalization;
using System.Text.Json.Nodes;

namespace RenderFarm.Verbs.Figures;

/// <summary>One measured number and, where there is a limit, what it has to be.</summary>
public sealed record Figure(string Name, double Value, string Unit, double? AtLeast = null, double? AtMost = null)
{
    /// <summary>Null without a limit. Not a number meets none.</summary>
    public bool? IsMet =>
        (AtLeast, AtMost) switch
        {
            (null, null) => null,
            var (least, most) => (least is null || Value >= least) && (most is null || Value <= most),
        };

    public static Figure Least(string name, double value, string unit, double limit) => new(name, value, unit, AtLeast: limit);

    public static Figure Most(string name, double value, string unit, double limit) => new(name, value, unit, AtMost: limit);

    public override string ToString()
    {
        var mark = IsMet switch
        {
            true => "met   ",
            false => "MISSED",
            null => "      ",
        };
        var limit =
            AtLeast is { } least ? string.Create(CultureInfo.InvariantCulture, $" (at least {least:0.####})")
            : AtMost is { } most ? string.Create(CultureInfo.InvariantCulture, $" (at most {most:0.####})")
            : "";
        return string.Create(CultureInfo.InvariantCulture, $"{mark}  {Name}: {Value:0.####} {Unit}").TrimEnd() + limit;
    }

    /// <summary>As <see cref="ToJson"/> wrote it.</summary>
    public static Figure FromJson(JsonNode json) =>
        new(
            json["name"]!.GetValue<string>(),
            json["value"]?.GetValue<double>() ?? double.NaN,
            json["unit"]!.GetValue<string>(),
            json["at_least"]?.GetValue<double>(),
            json["at_most"]?.GetValue<double>()
        );

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["name"] = Name,
            ["value"] = double.IsFinite(Value) ? Value : null,
            ["unit"] = Unit,
        };
        if (AtLeast is { } least)
        {
            json["at_least"] = least;
        }
        if (AtMost is { } most)
        {
            json["at_most"] = most;
        }
        if (IsMet is { } met)
        {
            json["met"] = met;
        }
        return json;
    }
}
