using System.Text.Json;
using System.Text.RegularExpressions;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>A dashboard that names a metric nobody exposes shows an empty panel for ever, and nobody notices.</summary>
public sealed partial class Dashboards
{
    [Fact]
    public async Task Dashboard_EveryMetricItNames_IsExposedByALiveFarm()
    {
        var named = Named();
        Assert.NotEmpty(named);
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup());
        await farm.CompletedAsync((await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!, TimeSpan.FromSeconds(60));

        // One job renders and one waits, so that the figures of queues have something to show.
        await farm.SubmitAsync(Requests.Slow());
        await farm.SubmitAsync(Requests.Quick());
        var missing = named;
        await farm.EventuallyAsync(
            async () =>
            {
                foreach (var url in farm.MetricsUrls.Values.Append($"{farm.Url}/metrics"))
                {
                    missing = missing.Except(Exposed(await farm.Http.GetStringAsync(new Uri(url)))).ToHashSet();
                }

                return missing.Count == 0;
            },
            TimeSpan.FromSeconds(30),
            "every metric of the dashboard",
            () => $"never seen: {string.Join(", ", missing)}"
        );
    }

    private static HashSet<string> Named()
    {
        var names = new HashSet<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(BuiltPrograms.Root, "deploy", "grafana", "dashboards"), "*.json"))
        {
            var expressions = JsonDocument
                .Parse(File.ReadAllText(file))
                .RootElement.GetProperty("panels")
                .EnumerateArray()
                .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
                .Select(target => target.GetProperty("expr").GetString()!);
            names.UnionWith(expressions.SelectMany(expression => Metric().Matches(expression)).Select(match => match.Value));
        }
        return names;
    }

    // name{labels} value, or name value
    private static IEnumerable<string> Exposed(string scrape) =>
        scrape.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.IndexOfAny(['{', ' '])]);

    [GeneratedRegex(@"\brenderfarm_\w+")]
    private static partial Regex Metric();
}
