using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>
/// Reads JSON into one tree, whose every string is Unicode that can be kept (PostgreSQL holds no U+0000), and whose long strings lie
/// beside it.
/// </summary>
internal sealed class JsonBody
{
    private const int MaxDepth = 16;
    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth };
    private readonly BodyShape _shape;
    private readonly string _root;
    private readonly Dictionary<long, LongText> _byPlace = [];
    private readonly Dictionary<string, LongText> _longTexts = [];

    private JsonBody(BodyShape shape, string root) => (_shape, _root) = (shape, root);

    /// <exception cref="ApiErrorException">400, saying where and why.</exception>
    public static RequestBody Read(BodyBytes body, BodyShape shape)
    {
        var scan = JsonScan.Of(body, shape);
        var reading = new JsonBody(shape, "");
        var rest = reading.WithoutLongTexts(body, scan.LongTexts);
        try
        {
            return reading.Parse(rest) is JsonObject fields
                ? new RequestBody(fields, []) { LongTexts = reading._longTexts }
                : throw ApiError.Malformed("The body must be a JSON object.").AsException();
        }
        catch (JsonException e)
        {
            throw ApiError.Malformed($"The body is not valid JSON: {Cause(e)}").AsException();
        }
    }

    /// <summary>A field that came as text: no string in it is long, for the text is not.</summary>
    /// <param name="name">The field's, in the spelling of the request.</param>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static JsonNode? ReadField(byte[] json, string name)
    {
        _ = JsonScan.Of(new BodyBytes(json), BodyShape.Matrix);
        return new JsonBody(BodyShape.Matrix, name).Parse(json);
    }

    /// <summary>System.Text.Json counts lines and columns from 0 and appends them to its message; people count from 1.</summary>
    internal static string Cause(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var cause = end < 0 ? e.Message : e.Message[..end];
        return e.LineNumber is { } line ? $"{cause} (line {line + 1}, column {e.BytePositionInLine + 1})" : cause;
    }

    /// <summary>The body with each long text as an empty string, whose place is remembered.</summary>
    private byte[] WithoutLongTexts(BodyBytes body, IReadOnlyList<TextRange> longTexts)
    {
        var rest = new byte[body.Length - longTexts.Sum(text => text.Length)];
        using var stream = body.Open();
        var at = 0;
        foreach (var text in longTexts)
        {
            // Up to the text, which begins behind its quote
            var before = (int)(text.From - stream.Position);
            stream.ReadExactly(rest, at, before);
            at += before;
            _byPlace[at - 1] = new LongText(body, text, Digest(stream, text.Length));
        }

        stream.ReadExactly(rest, at, rest.Length - at);
        return rest;
    }

    private static string Digest(Stream stream, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        for (var left = length; left > 0;)
        {
            var read = stream.ReadAtLeast(buffer.AsSpan(0, (int)Math.Min(buffer.Length, left)), 1);
            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private JsonNode? Parse(byte[] json)
    {
        var reader = new Utf8JsonReader(WithoutMark(json), Strict);
        reader.Read();
        var node = Value(ref reader, _root, json.Length - WithoutMark(json).Length);
        // Nothing but blanks may follow
        reader.Read();
        return node;
    }

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> json) =>
        json.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? json[3..] : json;

    private JsonNode? Value(ref Utf8JsonReader reader, string path, int mark)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return Members(ref reader, path, mark);
            case JsonTokenType.StartArray:
                var items = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(Value(ref reader, $"{path}[{items.Count}]", mark));
                }

                return items;
            case JsonTokenType.String:
                return _byPlace.TryGetValue(reader.TokenStartIndex + mark, out var longText)
                    ? Beside(longText, path)
                    : JsonValue.Create(Text(ref reader, path));
            case JsonTokenType.Number:
                return JsonValue.Create(JsonElement.ParseValue(ref reader));
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            default:
                return null;
        }
    }

    private JsonObject Members(ref Utf8JsonReader reader, string path, int mark)
    {
        var members = new JsonObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = Name(ref reader, path);
            var inner = path.Length == 0 ? name : $"{path}.{name}";
            if (members.ContainsKey(name) || _longTexts.ContainsKey(inner))
            {
                throw NotJson($"'{inner}' is given more than once");
            }

            reader.Read();
            var isLong = reader.TokenType == JsonTokenType.String && _byPlace.ContainsKey(reader.TokenStartIndex + mark);
            var value = Value(ref reader, inner, mark);
            if (!isLong)
            {
                members[name] = value;
            }
            else if (name.Contains('.', StringComparison.Ordinal))
            {
                // A name like a path is not that path
                throw Refused(inner, "is no field of a request");
            }
        }

        return members;
    }

    private JsonNode? Beside(LongText text, string path)
    {
        if (!_shape.LongTexts.Contains(path))
        {
            throw Refused(path, $"is {text.Range.Length} bytes long, which no such field is");
        }

        if (text.Range.Length > BodyShape.LongestText)
        {
            throw Refused(path, $"is {text.Range.Length} bytes long; at most {BodyShape.LongestText} are accepted");
        }

        _longTexts[path] = text;
        return null;
    }

    private string Name(ref Utf8JsonReader reader, string path)
    {
        try
        {
            return WithoutNul(reader.GetString()!, path);
        }
        catch (InvalidOperationException)
        {
            throw NotJson("the name of a member is not valid Unicode");
        }
    }

    private static string Text(ref Utf8JsonReader reader, string path)
    {
        try
        {
            return WithoutNul(reader.GetString()!, path);
        }
        catch (InvalidOperationException)
        {
            throw Refused(path, WellFormedText.NotUnicode);
        }
    }

    private static string WithoutNul(string text, string path) =>
        text.Contains('\0', StringComparison.Ordinal) ? throw Refused(path, WellFormedText.HoldsNul) : text;

    private ApiErrorException NotJson(string why) =>
        (
            _root.Length == 0
                ? ApiError.Malformed($"The body is not valid JSON: {why}.")
                : ApiError.InvalidValue(_root, $"'{_root}' is not valid JSON: {why}.")
        ).AsException();

    private static ApiErrorException Refused(string path, string what) =>
        (path.Length == 0 ? ApiError.Malformed($"The body {what}.") : ApiError.InvalidValue(path, $"'{path}' {what}.")).AsException();
}
