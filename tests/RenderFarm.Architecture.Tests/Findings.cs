using System.Text;

namespace RenderFarm.Architecture.Tests;

/// <summary>What breaks a rule, by place, with the details of each.</summary>
internal sealed class Findings
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

    public void AssertNone(string rule) =>
        Assert.True(_found.Count == 0, $"{rule}{string.Concat(_found.Select(found => $"\n{found.Key}: {found.Value}"))}");
}
