using System.Globalization;
using System.Text.RegularExpressions;

namespace RenderFarm.Api.Tests.Metrics;

/// <summary>What a scraper reads, by names and labels.</summary>
internal sealed partial class Scrape
{
    private readonly List<(string Name, IReadOnlyDictionary<string, string> Labels, double Value)> _samples;

    private Scrape(string text) =>
        _samples =
        [
            .. Sample().Matches(text)
                .Select(sample =>
                    (
                        sample.Groups["name"].Value,
                        (IReadOnlyDictionary<string, string>)Label().Matches(sample.Groups["labels"].Value)
                            .ToDictionary(label => label.Groups[1].Value, label => label.Groups[2].Value),
                        double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture)
                    )
                ),
        ];

    public static async Task<Scrape> OfAsync(TestFarm farm) => new(await farm.User.GetStringAsync("/metrics"));

    /// <summary>The sum of all samples of this name that have these labels; null without any.</summary>
    /// <param name="labels"><c>model=tiny</c></param>
    public double? Of(string name, params string[] labels)
    {
        var found = _samples.FindAll(sample =>
            sample.Name == name
            && labels.All(label => label.Split('=') is [var key, var value] && sample.Labels.GetValueOrDefault(key) == value)
        );
        return found.Count == 0 ? null : found.Sum(sample => sample.Value);
    }

    [GeneratedRegex(@"^(?<name>\w+)(\{(?<labels>[^}]*)\})? (?<value>\S+)", RegexOptions.Multiline)]
    private static partial Regex Sample();

    [GeneratedRegex("(\\w+)=\"([^\"]*)\"")]
    private static partial Regex Label();
}
