using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests.Namespaces;

/// <summary>Which namespaces of one project use which others, and where.</summary>
/// <remarks>
/// A file belongs to the namespace that it declares. That namespace uses another one of the same project when the file
/// has a <c>using</c> of it (of the namespace, of a type in it, or under another name), or when its code names a type of
/// it that is in reach without one: a type of a parent, or one behind a partial name such as <c>Hosting.Pause</c>.
/// Comments don't count. Names are read as the compiler reads them, from the inside out, but from syntax alone: what a
/// file declares itself (a parameter <c>Shape</c>) hides a type of that name where a value can stand.
/// </remarks>
internal sealed class NamespaceGraph
{
    private readonly Dictionary<(string From, string To), SortedSet<string>> _uses = [];

    public NamespaceGraph(IReadOnlyList<SourceFile> files)
    {
        var names = new DeclaredNames(files);
        foreach (var file in files.Where(file => file.Namespace.Length > 0))
        {
            foreach (var (used, where) in names.UsedBy(file).Where(use => use.Namespace != file.Namespace))
            {
                if (!_uses.TryGetValue((file.Namespace, used), out var places))
                {
                    _uses[(file.Namespace, used)] = places = new(StringComparer.Ordinal);
                }

                places.Add(where);
            }
        }
    }

    public IEnumerable<(string From, string To)> Arrows => _uses.Keys;

    /// <summary>File, line and name of every use.</summary>
    public IEnumerable<string> Places(string from, string to) => _uses.TryGetValue((from, to), out var places) ? places : [];

    /// <summary>Pairs that use each other, the first name the smaller one.</summary>
    public IEnumerable<(string One, string Other)> Pairs =>
        _uses.Keys.Where(arrow => string.CompareOrdinal(arrow.From, arrow.To) < 0 && _uses.ContainsKey((arrow.To, arrow.From))).Order();

    /// <summary>Namespaces that reach each other over any number of arrows, each circle once.</summary>
    public IEnumerable<IReadOnlyList<string>> Circles
    {
        get
        {
            var all = _uses.Keys.SelectMany(arrow => new[] { arrow.From, arrow.To }).Distinct().Order(StringComparer.Ordinal).ToList();
            var reached = all.ToDictionary(one => one, Reach);
            return all.Select(one =>
                    all.Where(other => other == one || (reached[one].Contains(other) && reached[other].Contains(one))).ToList()
                )
                .Where(circle => circle.Count > 1)
                .DistinctBy(circle => circle[0]);
        }
    }

    private HashSet<string> Reach(string from)
    {
        var reached = new HashSet<string>();
        var open = new Queue<string>([from]);
        while (open.TryDequeue(out var at))
        {
            foreach (var arrow in _uses.Keys.Where(arrow => arrow.From == at && reached.Add(arrow.To)))
            {
                open.Enqueue(arrow.To);
            }
        }

        return reached;
    }
}
