using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Observability.Tests.Boards;

/// <summary>One board of <c>deploy/grafana/dashboards</c>.</summary>
internal sealed partial record Board(string File, JsonNode Json)
{
    public string Uid => (string)Json["uid"]!;

    public IEnumerable<JsonNode> Panels => Json["panels"]!.AsArray().Select(panel => panel!);

    public IEnumerable<JsonNode> Variables => Json["templating"]!["list"]!.AsArray().Select(variable => variable!);

    /// <summary>What each panel asks Prometheus.</summary>
    public IEnumerable<Query> PrometheusQueries =>
        from panel in Panels
        from target in panel["targets"]?.AsArray() ?? []
        where (string?)target!["datasource"]!["type"] == "prometheus"
        select new Query($"{Uid}: {panel["title"]} {target["refId"]}", Filled((string)target["expr"]!));

    /// <summary>What the choices of its variables are read from: the series, and the label that they have to carry.</summary>
    public IEnumerable<(Query Series, string Label)> VariableQueries =>
        from variable in Variables
        where (string?)variable["type"] == "query"
        let match = LabelValues().Match((string)variable["query"]!["query"]!)
        select (new Query($"{Uid}: ${variable["name"]}", Filled(match.Groups["series"].Value)), match.Groups["label"].Value);

    /// <summary>What panels ask the farm itself.</summary>
    public IEnumerable<(string Panel, JsonNode Target)> FarmQueries =>
        from panel in Panels
        from target in panel["targets"]?.AsArray() ?? []
        where (string?)target!["datasource"]!["uid"] == "farm"
        select ($"{Uid}: {panel["title"]}", target);

    /// <summary>Every <c>$name</c> and <c>${name}</c> that is not Grafana's own.</summary>
    public IEnumerable<string> VariablesUsed() =>
        Variable()
            .Matches(Json.ToJsonString(Unescaped))
            .Select(match => match.Groups["name"].Value)
            .Where(name => !name.StartsWith("__", StringComparison.Ordinal))
            .Distinct();

    public static IReadOnlyList<string> Files =>
        Directory.GetFiles(Path.Combine(BuiltPrograms.Root, "deploy", "grafana", "dashboards"), "*.json");

    public static IReadOnlyList<Board> All() =>
        [.. Files.Order().Select(file => new Board(file, JsonNode.Parse(System.IO.File.ReadAllText(file))!))];

    // With everything chosen, and a window that holds all that a test's farm has done.
    private static string Filled(string expression) =>
        Variable().Replace(expression, match => match.Groups["name"].Value == "__rate_interval" ? "5m" : ".*");

    private static readonly System.Text.Json.JsonSerializerOptions Unescaped = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [GeneratedRegex(@"\$\{?(?<name>\w+)(?::\w+)?\}?")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^label_values\((?<series>.+), (?<label>\w+)\)$")]
    private static partial Regex LabelValues();
}

/// <param name="Where">The board and the panel.</param>
/// <param name="Expression">PromQL.</param>
internal sealed record Query(string Where, string Expression);
