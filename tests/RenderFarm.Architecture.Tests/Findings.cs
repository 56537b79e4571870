using System.Text;

namespace RenderFarm.Architecture.Tests;

/// <summary>
/// What breaks a rule, less what <see cref="TodaysExceptions"/> lists; an exception that nothing needs any more is a finding too.
/// </summary>
internal sealed class Findings(IReadOnlyCollection<string> exceptions)
{
    private readonly SortedDictionary<string, StringBuilder> _found = new(StringComparer.Ordinal);

    public void Add(string what, string detail)
    {
        if (!_found.TryGetValue(what, out var details))
        {
            _found[what] = details = new();
        }

        details.Append(detail);
    }

    public void AssertNone(string rule)
    {
        var text = new StringBuilder();
        foreach (var (what, details) in _found.Where(found => !exceptions.Contains(found.Key)))
        {
            text.Append('\n').Append(what).Append(": ").Append(details);
        }

        foreach (var unused in exceptions.Where(exception => !_found.ContainsKey(exception)))
        {
            text.Append('\n').Append(unused).Append(": nothing is wrong with it any more, take it out of TodaysExceptions");
        }

        Assert.True(text.Length == 0, rule + text);
    }
}
