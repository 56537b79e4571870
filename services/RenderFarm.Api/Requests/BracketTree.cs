using System.Globalization;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>
/// Form names with brackets as a tree: <c>a[b]</c> is a member, <c>a[]</c> the next item of a list, <c>a[0]</c> the
/// item of that index. In <c>loras[][name]</c>, <c>loras[][strength]</c> a new item begins when a member repeats.
/// </summary>
internal sealed class BracketTree
{
    private const int MaxDepth = 8;
    private readonly Node _root = new();

    public void Add(string name, string value)
    {
        var at = _root;
        var path = Split(name);
        for (var i = 0; i < path.Count; i++)
        {
            if (at.Text is not null)
            {
                throw ApiError
                    .Malformed($"The field '{name}' lies inside a field that is given as a whole too; send one of the two.", name)
                    .AsException();
            }

            at = path[i].Length > 0 ? at.Member(path[i]) : at.NextItem(opensWith: i + 1 < path.Count ? path[i + 1] : null);
        }

        if (at.Text is not null || at.Members.Count > 0)
        {
            throw ApiError.Malformed($"The field '{name}' is given more than once.", name).AsException();
        }

        at.Text = value;
    }

    public JsonObject ToJson() => (JsonObject)_root.ToJson(isRoot: true);

    private static List<string> Split(string name)
    {
        var open = name.IndexOf('[', StringComparison.Ordinal);
        if (open < 0)
        {
            return [name];
        }

        var path = new List<string> { name[..open] };
        for (var at = open; at < name.Length;)
        {
            var close = name.IndexOf(']', at);
            if (name[at] != '[' || close < 0 || open == 0 || path.Count >= MaxDepth)
            {
                throw ApiError.Malformed($"The field name '{name}' is not of the form name[member][].", name).AsException();
            }

            path.Add(name[(at + 1)..close]);
            at = close + 1;
        }

        return path;
    }

    private sealed class Node
    {
        private bool _appended;

        public string? Text { get; set; }

        public Dictionary<string, Node> Members { get; } = [];

        public Node Member(string name)
        {
            if (!Members.TryGetValue(name, out var member))
            {
                Members[name] = member = new Node();
            }

            return member;
        }

        public Node NextItem(string? opensWith)
        {
            _appended = true;
            var last = Members.Count == 0 ? null : Members[Index(Members.Count - 1)];
            return last is not null && opensWith is { Length: > 0 } && !last.Members.ContainsKey(opensWith)
                ? last
                : Member(Index(Members.Count));
        }

        public JsonNode ToJson(bool isRoot = false)
        {
            if (Text is not null && Members.Count == 0)
            {
                return JsonValue.Create(Text);
            }

            if (
                !isRoot && (_appended || Members.Keys.All(key => int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            )
            {
                return new JsonArray([.. Members.Values.Select(item => item.ToJson())]);
            }

            return new JsonObject(Members.Select(member => KeyValuePair.Create(member.Key, (JsonNode?)member.Value.ToJson())));
        }

        private static string Index(int index) => index.ToString(CultureInfo.InvariantCulture);
    }
}
