using System.Reflection;
using System.Text.RegularExpressions;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Hosting.Tests.Metrics;

/// <summary>A name that two processes give two meanings adds up to nonsense on every dashboard, and nobody notices.</summary>
public sealed partial class InstrumentTests
{
    private static readonly (string Meter, Type Of)[] Meters =
        [(ApiInstruments.Meter, typeof(ApiInstruments)), (WorkerInstruments.Meter, typeof(WorkerInstruments))];

    [Fact]
    public void Names_OfAllMeters_StandForOneMeaningEach()
    {
        var twice = All().GroupBy(each => Scraped(each.Instrument.Name)).Where(same => same.Count() > 1)
            .Select(same => $"{same.Key}: {string.Join(" / ", same.Select(each => $"{each.Meter}: {each.Instrument.Meaning}"))}");

        Assert.Empty(twice);
        Assert.True(All().Count > 20, "the figures of API and worker are looked at");
    }

    [Fact]
    public void Meanings_OfAllInstruments_AreToldApart() =>
        Assert.Empty(All().GroupBy(each => each.Instrument.Meaning).Where(same => same.Count() > 1).Select(same => same.Key));

    [Fact]
    public void Instruments_InTheSource_AreMadeOfTheListAlone()
    {
        var beside = from room in new[] { "contracts", "services", "workers" }
                     from file in Directory.EnumerateFiles(Path.Combine(BuiltPrograms.Root, room), "*.cs", SearchOption.AllDirectories)
                     where !file.Contains("/obj/", StringComparison.Ordinal) && Path.GetFileName(file) != "Instrument.cs"
                     where Making().IsMatch(File.ReadAllText(file))
                     select Path.GetRelativePath(BuiltPrograms.Root, file);

        Assert.Empty(beside);
    }

    /// <summary>Whoever writes a query looks there first. Left out or gone astray, a row says nothing for years.</summary>
    [Theory]
    [InlineData(ApiInstruments.Meter)]
    [InlineData(WorkerInstruments.Meter)]
    public void Page_OfMetrics_HasARowOfEachInstrumentAndNoOther(string meter)
    {
        var page = File.ReadAllText(Path.Combine(BuiltPrograms.Root, "docs", "observability", "metrics.md"));
        var section = page.Split("\n## ").Single(part => part.StartsWith(meter, StringComparison.Ordinal));

        Assert.Equal(
            string.Join('\n', All().Where(each => each.Meter == meter).Select(each => Row(each.Instrument))),
            string.Join('\n', section.Split('\n').Where(line => line.StartsWith("| `renderfarm", StringComparison.Ordinal)))
        );
    }

    private static string Row(Instrument of) => $"| `{of.Name}` | {of.Unit ?? ""} | {of.Meaning} |";

    private static List<(string Meter, Instrument Instrument)> All() =>
    [
        .. from meter in Meters
           from field in meter.Of.GetFields(BindingFlags.Public | BindingFlags.Static)
           where field.FieldType == typeof(Instrument)
           select (meter.Meter, (Instrument)field.GetValue(null)!),
    ];

    /// <summary>To a scraper a dot and an underscore are the same.</summary>
    private static string Scraped(string name) => name.Replace('.', '_');

    [GeneratedRegex(@"\.Create(Counter|UpDownCounter|Histogram|Gauge|Observable\w+)(<[^>]*>)?\s*\(")]
    private static partial Regex Making();
}
