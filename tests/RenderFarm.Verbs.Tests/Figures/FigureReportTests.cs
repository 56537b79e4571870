using System.CommandLine;
using System.Text.Json.Nodes;
using RenderFarm.Testing;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Tests.Figures;

public sealed class FigureReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Finish_WithAMissedLimit_WritesTheReportUnderItsNameAndFails()
    {
        var options = new ReportOptions();
        var command = new Command("queue");
        options.AddTo(command);
        var report = options.Begin(command.Parse(["--results", _folder.Path]), "queue, rate");

        report.Add(Figure.Least("leases a second", 500, "leases", 400));
        report.Figure("start", 0.7, "s", limit: 0.5);
        report.Figure("peak", 3, "GiB");
        report.Check("shared memory", holds: true, "no new segment");

        Assert.Equal(1, report.Finish());
        var written = JsonNode.Parse(File.ReadAllText(_folder.File("queue-rate.json")))!;
        Assert.Equal("queue, rate", (string)written["benchmark"]!);
        Assert.Equal([true, false, null], written["figures"]!.AsArray().Select(figure => (bool?)figure!["met"]));
        Assert.Equal("start", (string)Assert.Single(written["missed"]!.AsArray())!);
        Assert.True((bool)Assert.Single(written["checks"]!.AsArray())!["holds"]!);
    }

    [Fact]
    public void GoOnFrom_AnEarlierReport_IsOfBoth()
    {
        var first = new FigureReport("farm", json: false, [_folder.File("first.json")]);
        first.Figure("cold", 30, "s", limit: 20);
        first.Add(new Figure("never measured", double.NaN, "s"));
        first.Check("demo", holds: true, "a video");
        Assert.Equal(1, first.Finish());

        var second = new FigureReport("farm", json: false, [_folder.File("farm.json")]);
        second.GoOnFrom(_folder.File("first.json"));
        second.Figure("warm", 1, "s", limit: 3);

        Assert.Equal(1, second.Finish()); // The first one's limit is still missed
        Assert.Equal(["cold"], second.Missed);
        Assert.Equal("demo", Assert.Single(second.Checks).Name);
        var written = JsonNode.Parse(File.ReadAllText(_folder.File("farm.json")))!;
        Assert.Equal(["cold", "never measured", "warm"], written["figures"]!.AsArray().Select(figure => (string)figure!["name"]!));
        Assert.Equal(20, (double)written["figures"]![0]!["at_most"]!);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("no json")]
    public void GoOnFrom_NoReport_IsRefusedByItsName(string? content)
    {
        var path = _folder.File("first.json");
        if (content is not null)
        {
            File.WriteAllText(path, content);
        }

        var refused = Assert.Throws<VerbException>(() => new FigureReport("farm", json: false, []).GoOnFrom(path));

        Assert.Contains("first.json", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "met     start: 1 s (at most 2)")]
    [InlineData(3, "MISSED  start: 3 s (at most 2)")]
    [InlineData(double.NaN, "MISSED  start: NaN s (at most 2)")]
    public void ToString_OfAFigure_SaysWhetherItsLimitIsMet(double value, string expected) =>
        Assert.Equal(expected, Figure.Most("start", value, "s", 2).ToString());
}
