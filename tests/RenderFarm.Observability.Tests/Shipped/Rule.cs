using System.Text.RegularExpressions;
using RenderFarm.Testing.Farms;
using YamlDotNet.RepresentationModel;

namespace RenderFarm.Observability.Tests.Shipped;

/// <summary>One rule of <c>deploy/prometheus/rules</c>, recording or alerting.</summary>
internal sealed partial record Rule(string? Alert, string? Record, string Expression, string? Severity, string? Summary, string? Runbook)
{
    /// <summary>What the alerts' links begin with, where nobody has said where the pages are read.</summary>
    private const string Link = "{{ $externalLabels.runbooks }}/";

    public static string Pages => Path.Combine(BuiltPrograms.Root, "docs", "runbooks");

    public static string Folder => Path.Combine(BuiltPrograms.Root, "deploy", "prometheus");

    public static IReadOnlyList<string> Files => Directory.GetFiles(Path.Combine(Folder, "rules"), "*.yml");

    /// <summary>The page it leads to, as a file of <c>docs/runbooks</c>.</summary>
    public string? Page => Runbook?.StartsWith(Link, StringComparison.Ordinal) == true ? Runbook[Link.Length..] : null;

    public static IReadOnlyList<Rule> All() =>
        [
            .. from file in Files
            from groups in Children(Load(file)["groups"])
            from rule in Children(groups["rules"])
            select new Rule(
                Text(rule, "alert"),
                Text(rule, "record"),
                Text(rule, "expr")!,
                Text(rule, "labels", "severity"),
                Text(rule, "annotations", "summary"),
                Text(rule, "annotations", "runbook_url")
            ),
        ];

    /// <summary>Every series that the expression looks at: <c>name</c> or <c>name{labels}</c>.</summary>
    public IEnumerable<string> Selectors() =>
        Selector()
            .Matches(Window().Replace(Expression, ""))
            .Where(match => match.Groups["labels"].Success || match.Groups["name"].Value.Contains('_', StringComparison.Ordinal))
            .Select(match => match.Groups["name"].Value + match.Groups["labels"].Value);

    /// <summary>The loops that a selector, or a matcher of Alertmanager's, names.</summary>
    public static IEnumerable<string> Loops(string matchers) =>
        LoopMatcher().Matches(matchers).SelectMany(match => match.Groups["names"].Value.Split('|'));

    public static YamlMappingNode Load(string file)
    {
        using var reader = new StreamReader(file);
        var stream = new YamlStream();
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    public static IEnumerable<YamlMappingNode> Children(YamlNode list) => ((YamlSequenceNode)list).Cast<YamlMappingNode>();

    public static string? Text(YamlNode node, params string[] path)
    {
        foreach (var name in path)
        {
            if (node is not YamlMappingNode map || !map.Children.TryGetValue(name, out var next))
            {
                return null;
            }

            node = next;
        }

        return ((YamlScalarNode)node).Value;
    }

    [GeneratedRegex(@"(?<![\w""$.])(?<name>[a-zA-Z_:][\w:]*)(?<labels>\{[^}]*\})?(?!\s*\()(?![\w:""])")]
    private static partial Regex Selector();

    // by (a, b), without (…), ignoring (…), on (…): names of labels, not of series; [5m] and offset 1h
    [GeneratedRegex(@"\b(by|without|ignoring|on)\s*\([^)]*\)|\[[^\]]*\]|\boffset\s+\w+")]
    private static partial Regex Window();

    [GeneratedRegex(@"\bloop\s*(=|!=|=~|!~)\s*""(?<names>[^""]+)""")]
    private static partial Regex LoopMatcher();
}
