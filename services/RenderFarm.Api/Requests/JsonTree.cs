using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>One tree of the tokens of JSON, as they come.</summary>
/// <param name="root">What the whole is called in messages; empty for a body.</param>
/// <param name="body">Where strings lie that are left out of the tokens; null where none is.</param>
internal sealed class JsonTree(BodyShape shape, string root, BodyBytes? body = null)
{
    private readonly Stack<Level> _open = [];
    private readonly Dictionary<string, LongText> _longTexts = [];
    private string _name = "";

    public JsonNode? Root { get; private set; }

    /// <summary>Strings that are not in the tree, by where they would be.</summary>
    public IReadOnlyDictionary<string, LongText> LongTexts => _longTexts;

    /// <param name="leftOut">What belongs into the token, which is an empty string.</param>
    /// <exception cref="ApiErrorException">400: it is JSON, but none that a request may hold.</exception>
    public void Add(ref Utf8JsonReader reader, TextRange? leftOut)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                Name(ref reader);
                break;
            case JsonTokenType.StartObject:
                Open(new JsonObject());
                break;
            case JsonTokenType.StartArray:
                Open(new JsonArray());
                break;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                _open.Pop();
                break;
            case JsonTokenType.String when leftOut is { IsLong: true } text:
                PutBeside(text);
                break;
            case JsonTokenType.String when leftOut is { } text:
                PutLeftOut(text);
                break;
            case JsonTokenType.String:
                Put(JsonValue.Create(Text(ref reader)));
                break;
            case JsonTokenType.Number:
                Put(JsonValue.Create(JsonElement.ParseValue(ref reader)));
                break;
            case JsonTokenType.True or JsonTokenType.False:
                Put(JsonValue.Create(reader.TokenType == JsonTokenType.True));
                break;
            default:
                Put(null);
                break;
        }
    }

    /// <summary>Where the next value goes, in the spelling of the request.</summary>
    private string Path =>
        !_open.TryPeek(out var level) ? root
        : level.Node is JsonArray items ? $"{level.Path}[{items.Count}]"
        : level.Path.Length == 0 ? _name
        : $"{level.Path}.{_name}";

    private void Open(JsonNode node)
    {
        var level = new Level(node, Path);
        Put(node);
        _open.Push(level);
    }

    private void Put(JsonNode? value)
    {
        switch (_open.TryPeek(out var level) ? level.Node : null)
        {
            case JsonObject members:
                members[_name] = value;
                break;
            case JsonArray items:
                items.Add(value);
                break;
            default:
                Root = value;
                break;
        }
    }

    private void PutLeftOut(TextRange text) =>
        Put(
            _open.TryPeek(out var level)
            && level.Node is JsonArray items
            && level.Path.StartsWith(shape.ListsOfTexts!, StringComparison.Ordinal)
                ? new StoredText(body!, text, level.Path, items.Count).AsNode()
                : JsonValue.Create(JsonText.Read(body!, text, Path))
        );

    private void PutBeside(TextRange text)
    {
        var path = Path;
        if (!shape.LongTexts.Contains(path))
        {
            throw Refused($"is {text.Length} bytes long, which no such field is");
        }

        if (text.Length > BodyShape.LongestText)
        {
            throw Refused($"is {text.Length} bytes long; at most {BodyShape.LongestText} are accepted");
        }

        if (_name.Contains('.', StringComparison.Ordinal))
        {
            // A name like a path is not that path
            throw Refused("is no field of a request");
        }

        _longTexts[path] = new LongText(body!, text);
    }

    private void Name(ref Utf8JsonReader reader)
    {
        try
        {
            _name = reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw NotJson("the name of a member is not valid Unicode");
        }

        if (_name.Contains('\0', StringComparison.Ordinal))
        {
            throw Refused(_open.Peek().Path, WellFormedText.HoldsNul);
        }

        if (((JsonObject)_open.Peek().Node).ContainsKey(_name) || (_longTexts.Count > 0 && _longTexts.ContainsKey(Path)))
        {
            throw NotJson($"'{Path}' is given more than once");
        }
    }

    private string Text(ref Utf8JsonReader reader) =>
        JsonText.TryRead(ref reader, out var text) is { } fault ? throw Refused(fault) : text;

    private ApiErrorException NotJson(string why) =>
        (
            root.Length == 0
                ? ApiError.Malformed($"The body is not valid JSON: {why}.")
                : ApiError.InvalidValue(root, $"'{root}' is not valid JSON: {why}.")
        ).AsException();

    private ApiErrorException Refused(string what) => Refused(Path, what);

    private static ApiErrorException Refused(string path, string what) =>
        (path.Length == 0 ? ApiError.Malformed($"The body {what}.") : ApiError.InvalidValue(path, $"'{path}' {what}.")).AsException();

    private sealed record Level(JsonNode Node, string Path);
}
