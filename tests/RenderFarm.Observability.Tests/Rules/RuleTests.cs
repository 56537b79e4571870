using System.Text.RegularExpressions;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
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
        var pages = Directory.GetFiles(Rule.Pages, "*.md").Select(Path.GetFileNameWithoutExtension);

        Assert.Equal(Names().Order(), pages.Where(page => page != "README").Order());
    }

    /// <summary>Whoever is woken types before reading.</summary>
    [Fact]
    public void Runbooks_Each_BeginsWithTheFirstCommand() =>
        Assert.All(
            Names(),
            alert =>
            {
                var page = File.ReadAllText(Path.Combine(Rule.Pages, $"{alert}.md"));
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
        var typed = Pages()
            .SelectMany(page => Verb().Matches(page))
            .ToLookup(match => match.Groups["verb"].Value, match => match.Groups["rest"].Value);
        Assert.NotEmpty(typed);
        var known = await Program.RunAsync(BuiltPrograms.Cli, ["--help"]);
        foreach (var verb in typed)
        {
            Assert.Matches($@"(?m)^  {verb.Key}\b", known);
            var help = await Program.RunAsync(BuiltPrograms.Cli, [verb.Key, "--help"]);
            var hasVerbs = help.Contains("\nCommands:", StringComparison.Ordinal);
            // An option is its verb's: of "keys list --json" the second's
            foreach (var second in verb.ToLookup(rest => hasVerbs ? SecondVerb().Match(rest).Groups["word"].Value : ""))
            {
                if (second.Key.Length > 0)
                {
                    Assert.Matches(Offered(second.Key), help);
                }

                var own = second.Key.Length == 0 ? help : await Program.RunAsync(BuiltPrograms.Cli, [verb.Key, second.Key, "--help"]);
                var options = second.SelectMany(rest => Option().Matches(rest)).Select(match => match.Value);
                Assert.All(options.Distinct(), option => Assert.Matches(Offered(option), own));
            }
        }
    }

    private static string Offered(string name) => $@"(?m)^  (-\w, )?{name}\b";

    /// <summary>Where the farm is away <c>-s</c> alone prints nothing at all.</summary>
    [Fact]
    public void Runbooks_Curl_SaysWhatItMet()
    {
        var flags = Pages().SelectMany(page => Curl().Matches(page)).Select(match => match.Groups["flags"].Value).ToList();

        Assert.NotEmpty(flags);
        Assert.All(flags.Where(flag => flag.Contains('s', StringComparison.Ordinal)), flag => Assert.Contains('S', flag));
    }

    /// <summary>Whatever an attempt fails of, the page says where to go on.</summary>
    [Fact]
    public void AttemptsFailing_EachReason_HasItsRow()
    {
        var page = File.ReadAllText(Path.Combine(Rule.Pages, "AttemptsFailing.md"));

        Assert.All(Enum.GetValues<FailureReason>(), reason => Assert.Matches($@"(?m)^\|[^|]*`{Word.Of(reason)}`", page));
    }

    private static IEnumerable<string> Pages() => Directory.GetFiles(Rule.Pages, "*.md").Select(File.ReadAllText);

    private static IEnumerable<string> Names() => Rule.All().Select(rule => rule.Alert).OfType<string>().Distinct();

    private static IEnumerable<(string Alert, bool Fires, int Series)> Cases() =>
        from file in Directory.GetFiles(Tests, "*.yml")
        from test in Rule.Children(Rule.Load(file)["tests"])
        let series = ((YamlSequenceNode)test["input_series"]).Children.Count
        from one in Rule.Children(test["alert_rule_test"])
        select (Rule.Text(one, "alertname")!, ((YamlSequenceNode)one["exp_alerts"]).Children.Count > 0, series);

    [GeneratedRegex(@"\A# \w+\n\n```sh\n\S")]
    private static partial Regex Beginning();

    [GeneratedRegex(@"\./farm (?<verb>\w+)(?<rest>[^`|;#\n]*)")]
    private static partial Regex Verb();

    // As in "workers show NAME".
    [GeneratedRegex(@"^ (?<word>[a-z]+)")]
    private static partial Regex SecondVerb();

    [GeneratedRegex(@"(?<=\s)--[a-z][a-z-]*")]
    private static partial Regex Option();

    [GeneratedRegex(@"\bcurl -(?<flags>\w+)")]
    private static partial Regex Curl();
}
