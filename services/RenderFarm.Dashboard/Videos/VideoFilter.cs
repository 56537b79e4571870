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
            ],
            After = query["after"].ToString() is { Length: > 0 } after ? after : null,
            AsTable = query["view"] == "table",
        };

    /// <summary>What the farm is asked.</summary>
    public string Operation =>
        "/v1/videos?"
        + Join(Terms.Append(new("limit", (AsTable ? PageOfRows : PageOfPosters).ToString(CultureInfo.InvariantCulture))), After);

    /// <summary>The page that shows what follows.</summary>
    public string PageAfter(string? id) => Page(Terms.Concat(View), id);

    public string Without(string name) => Page(Terms.Where(term => term.Key != name).Concat(View), null);

    public string With(string name, string value) =>
        Page(Terms.Where(term => term.Key != name).Append(new(name, value)).Concat(View), null);

    public string OtherView => Page(AsTable ? Terms : Terms.Append(new("view", "table")), After);

    private IEnumerable<KeyValuePair<string, string>> View => AsTable ? [new("view", "table")] : [];

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
