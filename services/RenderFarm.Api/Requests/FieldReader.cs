using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Api.Requests;

/// <summary>
/// Takes typed fields out of one level of a request tree. A value may be of its JSON type or, as in multipart bodies,
/// its text. Null means absent. <see cref="RefuseRest"/> then refuses what nobody asked for.
/// </summary>
/// <param name="path">Where this level lies, for messages: <c>plan</c> reads as <c>plan.precision</c>.</param>
internal sealed class FieldReader(JsonObject fields, string path = "")
{
    private readonly HashSet<string> _known = [];

    public string Name(string field) => path.Length == 0 ? field : $"{path}.{field}";

    public bool Has(string field) => Node(field) is not null;

    public string? Text(string field, int maxLength, bool mayBeEmpty = true)
    {
        if (Node(field) is not { } node)
        {
            return null;
        }

        var text = Scalar(node, field, "a string");
        if (node.GetValueKind() is not JsonValueKind.String)
        {
            throw Invalid(field, "must be a string");
        }

        if (text.Length == 0 && !mayBeEmpty)
        {
            throw Invalid(field, "must not be empty");
        }

        return Length(text) <= maxLength
            ? text
            : throw Invalid(field, $"is {Show(Length(text))} characters long; at most {Show(maxLength)} are accepted");
    }

    public long? Whole(string field, long min, long max)
    {
        if (Node(field) is not { } node)
        {
            return null;
        }

        var text = Scalar(node, field, "a whole number");
        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || value != decimal.Truncate(value))
        {
            throw Invalid(field, $"is '{Excerpt(text)}'; a whole number from {Show(min)} to {Show(max)} is expected");
        }

        return value >= min && value <= max
            ? (long)value
            : throw Invalid(field, $"is {Excerpt(text)}; it must be from {Show(min)} to {Show(max)}");
    }

    public double? Number(string field, double min, double max)
    {
        if (Node(field) is not { } node)
        {
            return null;
        }

        var text = Scalar(node, field, "a number");
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
        {
            throw Invalid(field, $"is '{Excerpt(text)}'; a number from {Show(min)} to {Show(max)} is expected");
        }

        return value >= min && value <= max
            ? value
            : throw Invalid(field, $"is {Excerpt(text)}; it must be from {Show(min)} to {Show(max)}");
    }

    public bool? Flag(string field) =>
        Node(field) is not { } node
            ? null
            : Scalar(node, field, "true or false") switch
            {
                "true" => true,
                "false" => false,
                var other => throw Invalid(field, $"is '{Excerpt(other)}'; true or false is expected"),
            };

    /// <summary>One of an enum's words.</summary>
    public TEnum? Choice<TEnum>(string field)
        where TEnum : struct, Enum
    {
        if (Text(field, maxLength: 200) is not { } text)
        {
            return null;
        }

        return Word.TryParse<TEnum>(text, out var value)
            ? value
            : throw Invalid(field, $"is '{Excerpt(text)}', {Word.NotOneOf<TEnum>(text)}");
    }

    public FieldReader? Object(string field) =>
        Node(field) is not { } node ? null
        : Parsed(node, field) is JsonObject members ? new FieldReader(members, Name(field))
        : throw Invalid(field, "must be an object");

    public IReadOnlyList<FieldReader>? Objects(string field, int max)
    {
        if (Node(field) is not { } node)
        {
            return null;
        }

        if (Parsed(node, field) is not JsonArray items || items.Any(item => item is not JsonObject))
        {
            throw Invalid(field, "must be a list of objects");
        }

        return items.Count <= max
            ? [.. items.Select((item, i) => new FieldReader((JsonObject)item!, $"{Name(field)}[{i}]"))]
            : throw Invalid(field, $"has {items.Count} entries; at most {max} are accepted");
    }

    /// <summary>A flat map of strings.</summary>
    public IReadOnlyDictionary<string, string>? Strings(string field, int maxPairs, int maxKey, int maxValue)
    {
        if (Node(field) is not { } node)
        {
            return null;
        }

        if (Parsed(node, field) is not JsonObject pairs)
        {
            throw Invalid(field, "must be an object of strings");
        }

        if (pairs.Count > maxPairs)
        {
            throw Invalid(field, $"has {pairs.Count} pairs; at most {maxPairs} are accepted");
        }

        var reader = new FieldReader(pairs, Name(field));
        return pairs.ToDictionary(
            pair => pair.Key.Length <= maxKey ? pair.Key : throw Invalid(field, $"has a key longer than {maxKey} characters"),
            pair => reader.Text(pair.Key, maxValue) ?? throw Invalid(field, $"has no string at '{pair.Key}'")
        );
    }

    /// <summary>Refuses the first field that was not asked for, naming the nearest one that exists.</summary>
    public void RefuseRest()
    {
        foreach (var (field, _) in fields)
        {
            if (!_known.Contains(field))
            {
                throw ApiError.UnknownParameter(Name(field), NearestName.To(field, _known)).AsException();
            }
        }
    }

    public ApiErrorException Invalid(string field, string what) =>
        ApiError.InvalidValue(Name(field), $"'{Name(field)}' {what}.").AsException();

    private JsonNode? Node(string field)
    {
        _known.Add(field);
        return fields[field];
    }

    private string Scalar(JsonNode node, string field, string expected) =>
        node.GetValueKind() switch
        {
            JsonValueKind.String => node.GetValue<string>(),
            JsonValueKind.Number => node.ToJsonString(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => throw Invalid(field, $"must be {expected}"),
        };

    /// <summary>Multipart clients send objects as bracketed parts or as one part of JSON text.</summary>
    private JsonNode Parsed(JsonNode node, string field)
    {
        if (node.GetValueKind() != JsonValueKind.String || node.GetValue<string>() is not ['{' or '[', ..] text)
        {
            return node;
        }

        try
        {
            return JsonBody.ReadField(Encoding.UTF8.GetBytes(text), Name(field))
                ?? throw Invalid(field, "is not valid JSON: it says nothing");
        }
        catch (JsonException e)
        {
            throw Invalid(field, $"is not valid JSON: {JsonBody.Cause(e).TrimEnd('.')}");
        }
    }

    /// <summary>Characters as people count them for a limit: code points.</summary>
    private static int Length(string text) => text.Length - text.Count(char.IsLowSurrogate);

    private static string Excerpt(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private static string Show(double value) => value.ToString("0.################", CultureInfo.InvariantCulture);

    private static string Show(long value) => value.ToString(CultureInfo.InvariantCulture);
}
