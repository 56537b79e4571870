using System.Text.RegularExpressions;
using RenderFarm.Observability.Tests.Servers;
using RenderFarm.Observability.Tests.Shipped;
using RenderFarm.Testing.Farms;
using YamlDotNet.RepresentationModel;

namespace RenderFarm.Observability.Tests.Rules;

/// <summary>The rules and their own tests, by Prometheus's tool; and that nothing is left without the other.</summary>
public sealed partial class RuleTests
{
    private static string Tests => Path.Combine(Rule.Folder, "tests");

    public static TheoryData<string> TestFiles => [.. Directory.GetFiles(Tests, "*.yml").Select(file => Path.GetFileName(file))];

    [Fact]
    public async Task Configuration_Promtool_FindsNothing()
    {
        var said = await Program.RunAsync("promtool", ["check", "config", Path.Combine(Rule.Folder, "prometheus.yml")]);

        Assert.Contains($"{Rule.Files.Count} rule files found", said, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(TestFiles))]
    public async Task Rules_TheirTests_Pass(string file) =>
        await Program.RunAsync("promtool", ["test", "rules", Path.Combine(Tests, file)]);

    /// <summary>A test that can't fail proves nothing: with one threshold moved the tools say so.</summary>
    [Fact]
    public async Task Rules_ThresholdMoved_TestsFail()
    {
        using var folder = new Testing.TemporaryFolder();
        Directory.CreateDirectory(folder.File("rules"));
        Directory.CreateDirectory(folder.File("tests"));
        var rules = await File.ReadAllTextAsync(Path.Combine(Rule.Folder, "rules", "symptoms.yml"), TestContext.Current.CancellationToken);
        Assert.Contains("> 3600", rules, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            folder.File("rules/symptoms.yml"),
            rules.Replace("> 3600", "> 360000", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        File.Copy(Path.Combine(Tests, "symptoms.yml"), folder.File("tests/symptoms.yml"));

        var (code, said) = await Program.TryAsync("promtool", ["test", "rules", folder.File("tests/symptoms.yml")]);

        Assert.NotEqual(0, code);
        Assert.Contains("OldestJobTooOld", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Alerts_Each_HasSeveritySummaryAndRunbook()
    {
        var alerts = Rule.All().Where(rule => rule.Alert is not null).ToList();
        Assert.NotEmpty(alerts);
        Assert.All(
            alerts,
            rule =>
            {
                Assert.True(rule.Severity is "page" or "ticket", $"{rule.Alert}: severity {rule.Severity}");
                Assert.False(string.IsNullOrWhiteSpace(rule.Summary), $"{rule.Alert} says nothing");
                Assert.Equal($"{rule.Alert}.md", rule.Page);
            }
        );
    }

    [Fact]
    public void Alerts_Each_FiresInOneTestAndIsSilentWithoutTraffic()
    {
        var cases = Cases().ToList();
        Assert.All(
            Names(),
            alert =>
            {
                Assert.Contains(cases, one => one.Alert == alert && one.Fires);
                Assert.Contains(cases, one => one.Alert == alert && !one.Fires && one.Series > 0);
                Assert.Contains(cases, one => one.Alert == alert && !one.Fires && one.Series == 0);
            }
        );
    }

    [Fact]
    public void Runbooks_OneForEachAlert_AndNoneBeside()
    {
        var folder = Path.Combine(BuiltPrograms.Root, "docs", "runbooks");
        var pages = Directory.GetFiles(folder, "*.md").Select(Path.GetFileNameWithoutExtension);

        Assert.Equal(Names().Order(), pages.Where(page => page != "README").Order());
    }

    /// <summary>Whoever is woken types before reading.</summary>
    [Fact]
    public void Runbooks_Each_BeginsWithTheFirstCommand() =>
        Assert.All(
            Names(),
            alert =>
            {
                var page = File.ReadAllText(Path.Combine(BuiltPrograms.Root, "docs", "runbooks", $"{alert}.md"));
                Assert.Matches(Beginning(), page);
                Assert.StartsWith($"# {alert}\n", page, StringComparison.Ordinal);
                Assert.Contains("\n## What it means\n", page, StringComparison.Ordinal);
                Assert.Contains("\n## What to do\n", page, StringComparison.Ordinal);
            }
        );

    /// <summary>A verb or an option that is not there any more would be found at three in the morning.</summary>
    [Fact]
    public async Task Runbooks_VerbsOfTheFarm_AreThere()
    {
        var pages = Directory.GetFiles(Path.Combine(BuiltPrograms.Root, "docs", "runbooks"), "*.md").Select(File.ReadAllText);
        var verbs = pages.SelectMany(page => Verb().Matches(page)).Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(verbs);
        var known = await Program.RunAsync(BuiltPrograms.Cli, ["--help"]);

        Assert.All(verbs, verb => Assert.Matches($@"(?m)^  {verb}\b", known));
    }

    private static IEnumerable<string> Names() => Rule.All().Select(rule => rule.Alert).OfType<string>().Distinct();

    private static IEnumerable<(string Alert, bool Fires, int Series)> Cases() =>
        from file in Directory.GetFiles(Tests, "*.yml")
        from test in Rule.Children(Rule.Load(file)["tests"])
        let series = ((YamlSequenceNode)test["input_series"]).Children.Count
        from one in Rule.Children(test["alert_rule_test"])
        select (Rule.Text(one, "alertname")!, ((YamlSequenceNode)one["exp_alerts"]).Children.Count > 0, series);

    [GeneratedRegex(@"\A# \w+\n\n```sh\n\S")]
    private static partial Regex Beginning();

    [GeneratedRegex(@"\./farm (\w+)")]
    private static partial Regex Verb();
}
