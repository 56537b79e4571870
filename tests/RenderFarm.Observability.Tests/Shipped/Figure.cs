using System.Text.RegularExpressions;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Observability.Tests.Shipped;

/// <summary>A row of <c>docs/observability/metrics.md</c>, which a test of its own holds to what the programs tell.</summary>
internal sealed partial record Figure(string Name, string Meaning)
{
    private static readonly Lazy<IReadOnlyList<Figure>> All = new(() =>
        [
            .. Row()
                .Matches(File.ReadAllText(Path.Combine(BuiltPrograms.Root, "docs", "observability", "metrics.md")))
                .Select(match => new Figure(match.Groups["name"].Value, match.Groups["meaning"].Value)),
        ]
    );

    /// <param name="series">As Prometheus has it: with its unit, and what a counter or a histogram ends with.</param>
    public static Figure Named(string series) =>
        All.Value.Where(figure => $"{series}_".StartsWith($"{figure.Name.Replace('.', '_')}_", StringComparison.Ordinal))
            .MaxBy(figure => figure.Name.Length)
        ?? throw new InvalidOperationException($"metrics.md has no row for {series}");

    [GeneratedRegex(@"(?m)^\| `(?<name>renderfarm\.[\w.]+)` \|[^|]*\|(?<meaning>[^|]*)\|")]
    private static partial Regex Row();
}
