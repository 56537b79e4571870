using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.BadInput;

/// <summary>
/// Requests to an operation that begin as its description has it and are spoilt: values of other types and beyond all bounds, members
/// gone, doubled and strange, text that is no text, bodies cut off, other content types. The same seed makes the same ones.
/// </summary>
internal sealed class DocumentRequests(JsonNode document, int seed, IReadOnlyList<string> ids)
{
    private const int Deepest = 6;
    private readonly Random _random = new(seed);

    public HttpRequestMessage To(DescribedOperation operation)
    {
        var request = new HttpRequestMessage(operation.Method, Address(operation));
        foreach (var header in operation.Parameters.Where(parameter => parameter.In == "header" && _random.Next(2) == 0))
        {
            request.Headers.TryAddWithoutValidation(header.Name, _random.Next(4) == 0 ? new string('9', 300) : OneLine(Text()));
        }

        if (operation.BodyTypes.Count > 0 || (operation.Method != HttpMethod.Get && _random.Next(8) == 0))
        {
            request.Content = Body(operation);
        }

        return request;
    }

    /// <summary>Whose key the request carries: the right kind most of the time, else another's, a wrong one, or none.</summary>
    public T Key<T>(T right, params T[] others) => _random.Next(6) == 0 ? Pick(others) : right;

    /// <summary>The request as bytes whose framing is wrong.</summary>
    public byte[] Broken(DescribedOperation operation, string key)
    {
        var body = Encoding.UTF8.GetString(Json(operation));
        var framing = Pick([
            $"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{body}\r\n0\r\n\r\n",
            $"Transfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFFFFFF\r\n{body}\r\n0\r\n\r\n",
            $"Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n",
            $"Transfer-Encoding: chunked\r\n\r\n1\r\n{body}\r\n0\r\n\r\n",
            $"Transfer-Encoding: chunked\r\n\r\n-1\r\n{body}\r\n0\r\n\r\n",
            $"Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            $"Transfer-Encoding: identity\r\n\r\n{body}",
            $"Content-Length: {new string('9', 30)}\r\n\r\n{body}",
            $"Content-Length: 0x10\r\n\r\n{body}",
            $"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{body}",
            $"Content-Length: {body.Length}\r\nX-Bad\0: 1\r\n\r\n{body}",
        ]);
        var path = operation.Path.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: farm\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n"
                + $"Content-Type: {Pick(["application/json", "application/jsonl", "multipart/form-data; boundary=b"])}\r\n{framing}"
        );
    }

    private Uri Address(DescribedOperation operation)
    {
        var path = operation.Path;
        foreach (var parameter in operation.Parameters.Where(parameter => parameter.In == "path"))
        {
            path = path.Replace($"{{{parameter.Name}}}", Segment(), StringComparison.Ordinal);
        }

        var query = new StringBuilder();
        foreach (var parameter in operation.Parameters.Where(parameter => parameter.In == "query"))
        {
            for (var i = _random.Next(3); i > 0; i--)
            {
                query.Append(query.Length == 0 ? '?' : '&').Append(parameter.Name).Append('=').Append(Segment());
            }
        }

        if (_random.Next(10) == 0)
        {
            query.Append(query.Length == 0 ? '?' : '&').Append(Segment()).Append("=1");
        }

        return new Uri(
            $"http://farm{path}{query}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
    }

    private string Segment() =>
        _random.Next(5) switch
        {
            0 or 1 => Pick(ids),
            2 => Pick(["0", "-1", "100", "99999999999999999999", "1e5", "asc", "true", "video", "%00", "%ff%fe", "%2e%2e%2f", "%"]),
            3 => new string('a', _random.Next(1, 3_000)),
            _ => Uri.EscapeDataString(new string([.. Text().Where(letter => !char.IsSurrogate(letter))]) + "x"),
        };

    private HttpContent Body(DescribedOperation operation)
    {
        var described = operation.BodyTypes.Count > 0 ? Pick(operation.BodyTypes) : "application/json";
        var type =
            _random.Next(12) == 0
                ? Pick(["", "text/plain", "application/xml", "application/json; charset=utf-16", "*/*", "x"])
                : described;
        var bytes = described.StartsWith("multipart/", StringComparison.Ordinal)
            ? Form(operation)
            : described.Contains("json", StringComparison.Ordinal) && described != "application/json"
                ? [.. Json(operation), (byte)'\n', .. Json(operation)]
                : Json(operation);
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation(
            "Content-Type",
            type.StartsWith("multipart/", StringComparison.Ordinal) ? $"{type}; boundary=b" : type
        );
        if (_random.Next(30) == 0)
        {
            content.Headers.ContentEncoding.Add("gzip");
        }

        return content;
    }

    private byte[] Form(DescribedOperation operation)
    {
        var fields = Valid(operation.Body, 0) as JsonObject ?? [];
        using var body = new MemoryStream();
        foreach (var (name, value) in fields)
        {
            var text = _random.Next(3) == 0 ? Text() : value is JsonValue ? value.ToString() : value?.ToJsonString() ?? "null";
            var part = Pick([name, name, name, name + "[]", name + "[0]", name + "[x]", "[", "", name + "\"; filename=\"a"]);
            body.Write(Encoding.UTF8.GetBytes($"--b\r\nContent-Disposition: form-data; name=\"{part}\"\r\n\r\n{text}\r\n"));
        }

        body.Write("--b--\r\n"u8);
        return Spoilt(body.ToArray(), 4);
    }

    private byte[] Json(DescribedOperation operation)
    {
        var tree = Valid(operation.Body, 0) ?? new JsonObject();
        for (var i = _random.Next(4); i > 0; i--)
        {
            tree = Spoilt(tree);
        }

        return Spoilt(Encoding.UTF8.GetBytes(tree.ToJsonString()), 5);
    }

    /// <summary>Bytes that were changed, cut off, doubled or wrapped, once in so many times.</summary>
    private byte[] Spoilt(byte[] bytes, int onceIn)
    {
        if (bytes.Length == 0 || _random.Next(onceIn) != 0)
        {
            return bytes;
        }

        var at = _random.Next(bytes.Length);
        switch (_random.Next(6))
        {
            case 0:
                return bytes[..at];
            case 1:
                bytes[at] = (byte)_random.Next(256);
                return bytes;
            case 2:
                return [.. bytes, .. bytes];
            case 3:
                return Encoding.UTF8.GetBytes($"{{\"loras\":[{string.Join(',', Enumerable.Repeat(1, _random.Next(50_000)))}]}}");
            case 4:
                return Encoding.UTF8.GetBytes(new string('[', _random.Next(1, 5_000)));
            default:
                return [.. bytes[..at], 0xFF, 0xFE, 0, .. bytes[at..]];
        }
    }

    /// <summary>What the schema asks for.</summary>
    private JsonNode? Valid(JsonNode? schema, int depth)
    {
        schema = Resolved(schema);
        if (schema is null || depth > Deepest)
        {
            return null;
        }

        if ((schema["oneOf"] ?? schema["anyOf"] ?? schema["allOf"]) is JsonArray choices)
        {
            return Valid(Pick([.. choices]), depth + 1);
        }

        if (schema["enum"] is JsonArray words)
        {
            return Pick([.. words])?.DeepClone();
        }

        var type = schema["type"] switch
        {
            JsonArray types => (string?)types.First(one => (string?)one != "null"),
            var one => (string?)one,
        };
        switch (type)
        {
            case "object":
                var made = new JsonObject();
                foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
                {
                    var isRequired = (schema["required"] as JsonArray)?.Any(required => (string?)required == name) == true;
                    if (isRequired || _random.Next(3) == 0)
                    {
                        made[name] = Valid(property, depth + 1);
                    }
                }

                return made;
            case "array":
                return new JsonArray([.. Enumerable.Range(0, _random.Next(3)).Select(_ => Valid(schema["items"], depth + 1))]);
            case "integer":
                return _random.Next(100);
            case "number":
                return Math.Round(_random.NextDouble() * 10, 3);
            case "boolean":
                return _random.Next(2) == 0;
            default:
                return Pick(["a ball", "tiny", "64x48", Pick(ids), "1"]);
        }
    }

    private JsonNode? Resolved(JsonNode? schema)
    {
        while ((string?)schema?["$ref"] is { } reference)
        {
            schema = reference.Split('/').Skip(1).Aggregate((JsonNode?)document, (node, name) => node?[name]);
        }

        return schema;
    }

    /// <summary>Another value somewhere in the tree.</summary>
    private JsonNode Spoilt(JsonNode tree)
    {
        switch (tree)
        {
            case JsonObject members:
                var names = members.Select(member => member.Key).ToArray();
                if (names.Length == 0 || _random.Next(6) == 0)
                {
                    members[Text()] = Strange(0);
                    return tree;
                }

                var name = Pick(names);
                if (_random.Next(5) == 0)
                {
                    members.Remove(name);
                }
                else if (members[name] is JsonObject or JsonArray && _random.Next(2) == 0)
                {
                    Spoilt(members[name]!);
                }
                else
                {
                    members[name] = Strange(0);
                }

                return tree;
            case JsonArray { Count: > 0 } items when _random.Next(2) == 0:
                items[_random.Next(items.Count)] = Strange(0);
                return tree;
            case JsonArray items:
                for (var i = _random.Next(300); i > 0; i--)
                {
                    items.Add(Strange(Deepest));
                }

                return tree;
            default:
                return Strange(0) ?? new JsonObject();
        }
    }

    private JsonNode? Strange(int depth) =>
        _random.Next(depth < Deepest ? 9 : 6) switch
        {
            0 => null,
            1 => Pick([0, -1, 1e300, -1e-300, 0.1, 2147483648d, 4294967296d]),
            2 => Pick([long.MaxValue, long.MinValue, 257, -2_147_483_649]),
            3 => _random.Next(2) == 0,
            4 => Text(),
            5 => new string(Pick(['a', 'é', ' ', '"', '\\', '\0']), _random.Next(40_000)),
            6 => new JsonArray([.. Enumerable.Range(0, _random.Next(4)).Select(_ => Strange(depth + 1))]),
            _ => new JsonObject(
                Enumerable
                    .Range(0, _random.Next(4))
                    .Select(i => KeyValuePair.Create(Text() + i.ToString(CultureInfo.InvariantCulture), Strange(depth + 1)))
            ),
        };

    private string Text() => Pick(HostileRequests.Texts);

    private static string OneLine(string text) => new([.. text.Where(letter => letter is >= ' ' and < (char)0x7F)]);

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];
}
