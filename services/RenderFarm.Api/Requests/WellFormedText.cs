using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>
/// Every string of a request is Unicode that can be kept. The JSON reader looks at text only when somebody asks for it,
/// so bytes that are not UTF-8 and half surrogate pairs pass it; and PostgreSQL holds no U+0000.
/// </summary>
internal static class WellFormedText
{
    /// <param name="name">Where the node lies, in the spelling of the request; empty for the whole body.</param>
    /// <exception cref="ApiErrorException">400, naming the field.</exception>
    public static void Require(JsonNode? node, string name = "")
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (member, value) in Read(() => members.ToArray(), name))
                {
                    var path = name.Length == 0 ? member : $"{name}.{member}";
                    RefuseNul(member, name);
                    Require(value, path);
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    Require(items[i], $"{name}[{i}]");
                }

                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                RefuseNul(Read(value.GetValue<string>, name), name);
                break;
        }
    }

    private static T Read<T>(Func<T> read, string name)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw Refused(name, "holds text that is not valid Unicode (bytes that are not UTF-8, or half of a surrogate pair)");
        }
    }

    private static void RefuseNul(string text, string name)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw Refused(name, "holds the character U+0000, which can't be kept; leave it out");
        }
    }

    private static ApiErrorException Refused(string name, string what) =>
        (name.Length == 0 ? ApiError.Malformed($"The body {what}.") : ApiError.InvalidValue(name, $"'{name}' {what}.")).AsException();
}
