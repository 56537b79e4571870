using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace RenderFarm.Dashboard.Videos;

/// <summary>What the address of the list says is to be shown: the same words that <c>GET /v1/videos</c> has, and how to draw it.</summary>
public sealed record VideoFilter
{
    private const int PageOfPosters = 24;
    private const int PageOfRows = 50;
    private static readonly string[] Words =
    [
        "status", "model", "worker", "batch", "error_code", "text", "created_after", "created_before",
    ];

    public required IReadOnlyList<KeyValuePair<string, string>> Terms { get; init; }

    /// <summary>The last one of the page before.</summary>
    public string? After { get; init; }
    public bool AsTable { get; init; }

    public bool IsEmpty => Terms.Count == 0;

    public string? this[string name] => Terms.FirstOrDefault(term => term.Key == name).Value;

    public static VideoFilter Of(IQueryCollection query) =>
        new()
        {
            Terms =
            [
                .. query
                    .Where(one => Words.Contains(one.Key) || IsTag(one.Key))
                    .Select(one => KeyValuePair.Create(one.Key, one.Value.ToString().Trim()))
                    .Where(one => one.Value.Length > 0),
                .. TagOf(query["tag"].ToString()),
            ],
            After = query["after"].ToString() is { Length: > 0 } after ? after : null,
            AsTable = query["view"] == "table",
        };

    /// <summary>What the farm is asked.</summary>
    public string Operation
    {
        get
        {
            var most = (AsTable ? PageOfRows : PageOfPosters).ToString(CultureInfo.InvariantCulture);
            return "/v1/videos?" + Join(Terms.Select(Asked).Append(new("limit", most)), After);
        }
    }

    /// <summary>The page that shows what follows.</summary>
    public string PageAfter(string? id) => Page(Terms.Concat(View), id);

    public string Without(string name) => Page(Terms.Where(term => term.Key != name).Concat(View), null);

    public string With(string name, string value) =>
        Page(Terms.Where(term => term.Key != name).Append(new(name, value)).Concat(View), null);

    public string OtherView => Page(AsTable ? Terms : Terms.Append(new("view", "table")), After);

    private IEnumerable<KeyValuePair<string, string>> View => AsTable ? [new("view", "table")] : [];

    /// <summary>As the farm is asked for it: times are unix seconds, and a day that ends a span is in it.</summary>
    public static KeyValuePair<string, string> Asked(KeyValuePair<string, string> term)
    {
        if (
            !term.Key.StartsWith("created_", StringComparison.Ordinal)
            || !DateTimeOffset.TryParseExact(
                term.Value,
                "yyyy-MM-dd",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var day
            )
        )
        {
            return term;
        }

        var at = term.Key == "created_before" ? day.AddDays(1) : day;
        return KeyValuePair.Create(term.Key, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
    }

    /// <summary><c>client=north</c>, or <c>sea</c>, from the field of the filter's form.</summary>
    private static IEnumerable<KeyValuePair<string, string>> TagOf(string tag)
    {
        var pair = tag.Split('=', 2, StringSplitOptions.TrimEntries);
        return pair[0].Length == 0 ? [] : [KeyValuePair.Create($"metadata[{pair[0]}]", pair.Length > 1 ? pair[1] : "true")];
    }

    public static bool IsTag(string name) => name.StartsWith("metadata[", StringComparison.Ordinal) && name.EndsWith(']');

    private static string Page(IEnumerable<KeyValuePair<string, string>> terms, string? after) =>
        Join(terms, after) is { Length: > 0 } query ? "/videos?" + query : "/videos";

    private static string Join(IEnumerable<KeyValuePair<string, string>> terms, string? after) =>
        string.Join(
            '&',
            (after is null ? terms : terms.Append(new("after", after))).Select(term =>
                $"{WebUtility.UrlEncode(term.Key)}={WebUtility.UrlEncode(term.Value)}"
            )
        );
}
