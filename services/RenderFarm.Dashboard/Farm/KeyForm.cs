using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace RenderFarm.Dashboard.Farm;

/// <summary>The form of a key as somebody has filled it in. An empty field of a number is no limit.</summary>
public sealed record KeyForm(IReadOnlyDictionary<string, string> Values, IReadOnlyList<string> Scopes)
{
    public static readonly string[] EveryScope = ["submit", "read", "admin", "worker"];
    public static readonly KeyForm Empty = new(new Dictionary<string, string>(), ["submit", "read"]);

    private static readonly string[] Names =
    [
        "name", "priority_ceiling", "queued", "running", "per_day", "requests_per_minute", "class", "expires_at",
    ];

    private const string DayForm = "yyyy-MM-dd";

    public string? this[string name] => Values.GetValueOrDefault(name);

    public static async Task<KeyForm> ReadAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
        return new KeyForm(
            Names.Where(name => form.ContainsKey(name)).ToDictionary(name => name, name => form[name].ToString().Trim()),
            [.. form["scope"].OfType<string>()]
        );
    }

    public static KeyForm Of(KeyRecord key) =>
        new(
            new Dictionary<string, string?>
            {
                ["name"] = key.Name,
                ["priority_ceiling"] = Text(key.PriorityCeiling),
                ["queued"] = Text(key.Quotas.Queued),
                ["running"] = Text(key.Quotas.Running),
                ["per_day"] = Text(key.Quotas.PerDay),
                ["requests_per_minute"] = Text(key.RequestsPerMinute),
                ["class"] = key.Class,
                ["expires_at"] = key.ExpiresAt is { } end
                    ? DateTimeOffset.FromUnixTimeSeconds(end).ToString(DayForm, CultureInfo.InvariantCulture)
                    : null,
            }.ToDictionary(field => field.Key, field => field.Value ?? ""),
            key.Scopes
        );

    public JsonObject ForNew()
    {
        var scopes = new JsonArray([.. Scopes.Select(scope => (JsonNode)scope)]);
        var body = new JsonObject { ["scopes"] = scopes, ["quotas"] = new JsonObject() };
        Fill(body, isChange: false);
        return body;
    }

    /// <summary>All that a form shows is said, for what it leaves empty is to be no limit from now on.</summary>
    public JsonObject ForChange()
    {
        var body = new JsonObject { ["quotas"] = new JsonObject() };
        Fill(body, isChange: true);
        return body;
    }

    private void Fill(JsonObject body, bool isChange)
    {
        foreach (var (name, text) in Values)
        {
            var place = name is "queued" or "running" or "per_day" ? (JsonObject)body["quotas"]! : body;
            if (text.Length > 0)
            {
                place[name] = name is "name" or "class" ? text : name is "expires_at" ? End(text) : Number(text);
            }
            else if (isChange && name is not ("name" or "priority_ceiling"))
            {
                place[name] = null;
            }
        }
    }

    /// <summary>What is no number goes as it is: the farm says at which field.</summary>
    private static JsonNode Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : text;

    /// <summary>The end of that day.</summary>
    private static JsonNode End(string text) =>
        DateTimeOffset.TryParseExact(text, DayForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day)
            ? day.AddDays(1).ToUnixTimeSeconds()
            : text;

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
