using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>
/// Every string of a request is Unicode that can be kept: PostgreSQL holds no U+0000, and half a surrogate pair has no bytes.
/// <see cref="JsonBody"/> sees to it as it reads; this is for trees that came another way.
/// </summary>
internal static class WellFormedText
{
    public const string NotUnicode = "holds text that is not valid Unicode (bytes that are not UTF-8, or half of a surrogate pair)";
    public const string HoldsNul = "holds the character U+0000, which can't be kept; leave it out";

    /// <param name="name">Where the node lies, in the spelling of the request; empty for the whole body.</param>
    /// <exception cref="ApiErrorException">400, naming the field.</exception>
    public static void Require(JsonNode? node, string name = "")
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (member, value) in members)
                {
                    RequireText(member, name);
                    Require(value, name.Length == 0 ? member : $"{name}.{member}");
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    Require(items[i], $"{name}[{i}]");
                }

                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                RequireText(value.GetValue<string>(), name);
                break;
        }
    }

    private static void RequireText(string text, string name)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw Refused(name, HoldsNul);
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i]))
            {
                throw Refused(name, NotUnicode);
            }
        }
    }

    private static ApiErrorException Refused(string name, string what) =>
        (name.Length == 0 ? ApiError.Malformed($"The body {what}.") : ApiError.InvalidValue(name, $"'{name}' {what}.")).AsException();
}
