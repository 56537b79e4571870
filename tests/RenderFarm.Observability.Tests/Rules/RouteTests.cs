using RenderFarm.Observability.Tests.Servers;
using RenderFarm.Observability.Tests.Shipped;

namespace RenderFarm.Observability.Tests.Rules;

/// <summary>Who hears of what, by Alertmanager's tool.</summary>
public sealed class RouteTests
{
    [Fact]
    public async Task Configuration_Amtool_FindsNothing() => await Program.RunAsync("amtool", ["check-config", Alertmanager.Configuration]);

    [Theory]
    [InlineData("page", "severity=page", "alertname=ApiDown")]
    [InlineData("ticket", "severity=ticket", "alertname=SpoolFilling")]
    [InlineData("ticket", "severity=notice", "alertname=SomebodyElses")]
    [InlineData("ticket", "alertname=SomebodyElses")]
    public async Task Route_Alert_GoesTo(string receiver, params string[] labels)
    {
        var said = await Program.RunAsync(
            "amtool",
            ["config", "routes", "test", $"--config.file={Alertmanager.Configuration}", $"--verify.receivers={receiver}", .. labels]
        );

        Assert.StartsWith(receiver, said, StringComparison.Ordinal);
    }

    /// <summary>What an alert is held back by has to exist under that name.</summary>
    [Fact]
    public void Inhibitions_AlertsTheyName_Exist()
    {
        var alerts = Rule.All().Select(rule => rule.Alert).OfType<string>().ToHashSet();
        var named =
            from rule in Rule.Children(Rule.Load(Alertmanager.Configuration)["inhibit_rules"])
            from side in new[] { "source_matchers", "target_matchers" }
            from matcher in (YamlDotNet.RepresentationModel.YamlSequenceNode)rule[side]
            let text = matcher.ToString()
            where text.StartsWith("alertname", StringComparison.Ordinal)
            from name in text[(text.IndexOf('"', StringComparison.Ordinal) + 1)..^1].Split('|')
            select name;

        Assert.NotEmpty(named);
        Assert.All(
            named,
            name => Assert.Contains(alerts, alert => System.Text.RegularExpressions.Regex.IsMatch(alert, $"^(?:{name})$"))
        );
    }
}
