using System.Text.Json.Nodes;
using RenderFarm.Observability.Tests.Boards;
using RenderFarm.Observability.Tests.Servers;
using RenderFarm.Observability.Tests.Shipped;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Observability.Tests.Live;

/// <summary>A query that names what nobody tells shows an empty panel for ever, or never fires, and nobody notices.</summary>
public sealed class QueryTests(ObservedFarm observed)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// What a farm under test can't be brought to: the label has to be there, whatever its value. Each is fired by a test of the rules.
    /// </summary>
    private static readonly Dictionary<string, string> Unmade = new()
    {
        ["seen=\"alive\""] = "a lease is lost while other calls of its worker come through",
        ["result=\"late\""] = "a job begins half a minute later than promised",
        ["http_response_status_code=~\"5..\""] = "a submission is answered 5xx",
    };

    /// <summary>What a worker on a processor never counts, by the name under which it stands among the figures.</summary>
    private static readonly Dictionary<string, string> OnlyOnACard = new()
    {
        ["renderfarm_weight_cache_requests_total"] = "renderfarm.weight_cache.requests",
        ["renderfarm_streamed_bytes_total"] = "renderfarm.streamed",
    };

    [Fact]
    public void Figures_OnlyACardTells_AreAmongThoseOfTheWorker()
    {
        var figures = File.ReadAllText(Path.Combine(BuiltPrograms.Root, "docs", "observability", "metrics.md"));

        Assert.All(OnlyOnACard.Values, name => Assert.Contains($"| `{name}` |", figures, StringComparison.Ordinal));
    }

    /// <summary>What is looked for under a value that nobody tells is never found: one that can't be made is among its figure's.</summary>
    [Fact]
    public void Rules_ValuesThatCantBeMade_AreWordsOfTheirFigure()
    {
        var asked = (
            from rule in Rule.All()
            from selector in rule.Selectors()
            from matcher in Unmade.Keys
            where selector.StartsWith("renderfarm_", StringComparison.Ordinal) && selector.Contains(matcher, StringComparison.Ordinal)
            select (Figure: selector[..selector.IndexOf('{', StringComparison.Ordinal)], Value: matcher.Split('"')[1])
        ).ToHashSet();

        Assert.NotEmpty(asked);
        Assert.All(asked, one => Assert.Matches($@"\b{one.Value}\b", Figure.Named(one.Figure).Meaning));
    }

    /// <summary>Each loop that can fail has its row in the page, and what a rule says of loops is said of ones that are there.</summary>
    [Theory]
    [InlineData("renderfarm_loop_degraded", "LoopDegraded.md")]
    [InlineData("renderfarm_worker_loop_degraded", "WorkerLoopDegraded.md")]
    public async Task Loops_Each_HasItsRow_AndRulesNameNoOther(string figure, string page)
    {
        var (_, prometheus) = await observed.GetAsync();
        var text = await File.ReadAllTextAsync(Path.Combine(Rule.Pages, page), TestContext.Current.CancellationToken);
        var told = await Eventually.ValueAsync(
            async () =>
                (await prometheus.AskAsync($"count by (loop) ({figure})")).Select(series => (string)series.Labels["loop"]!).ToList(),
            loops => loops.Count > 0,
            Patience,
            $"{figure} to be told",
            TestContext.Current.CancellationToken
        );
        var named = Rule.All()
            .SelectMany(rule => rule.Selectors())
            .Where(selector => selector.StartsWith($"{figure}{{", StringComparison.Ordinal))
            .SelectMany(Rule.Loops);

        // There is one for each class of memory
        string Row(string loop) => loop.StartsWith("bells_", StringComparison.Ordinal) ? "bells_*" : loop;
        Assert.All(told, loop => Assert.Contains($"`{Row(loop)}`", text, StringComparison.Ordinal));
        Assert.All(named, loop => Assert.Contains(loop, told));
    }

    [Fact]
    public void Jobs_ShippedAndScrapedHere_AreTheSame() =>
        // DCGM's exporter needs a card and its driver.
        Assert.Equal(["api", "worker", "rabbitmq", "postgres", "minio"], Prometheus.Jobs().Where(job => job != "dcgm"));

    [Fact]
    public async Task Panels_EveryQuery_HasData() =>
        await AnswerAsync(
            Board
                .All()
                .SelectMany(board => board.PrometheusQueries)
                .Where(query => !OnlyOnACard.Keys.Any(name => query.Expression.Contains(name, StringComparison.Ordinal)))
        );

    [Fact]
    public async Task Variables_EveryChoice_HasValues() =>
        await AnswerAsync(
            Board
                .All()
                .SelectMany(board => board.VariableQueries)
                .Select(query => new Query(query.Series.Where, With(query.Series.Expression, query.Label)))
        );

    [Fact]
    public async Task Rules_EverySeriesTheyLookAt_IsThere() =>
        await AnswerAsync(
            Rule.All()
                .SelectMany(rule => rule.Selectors().Select(selector => (Name: rule.Alert ?? rule.Record!, Series: Loosened(selector))))
                .Select(asked => new Query(asked.Name, $"last_over_time({asked.Series}[10m])"))
                .DistinctBy(query => query.Expression)
        );

    [Fact]
    public async Task Rules_Each_IsEvaluatedWithoutError()
    {
        var (_, prometheus) = await observed.GetAsync();
        var rules = await Eventually.ValueAsync(
            prometheus.RulesAsync,
            all => all.All(rule => (string?)rule["health"] != "unknown"),
            Patience,
            "every rule to be evaluated",
            TestContext.Current.CancellationToken
        );

        Assert.Equal(Rule.All().Count, rules.Count);
        Assert.All(rules, rule => Assert.True((string?)rule["health"] == "ok", $"{rule["name"]}: {rule["lastError"]}"));
    }

    /// <summary>From a figure of the farm through rule and route to whoever is woken, or has a ticket.</summary>
    [Theory]
    [InlineData("/page", "CertificateOver")]
    [InlineData("/ticket", "CardErrors")]
    public async Task Alert_ThatFires_ReachesItsReceiverWithItsRunbook(string receiver, string alert)
    {
        await observed.GetAsync();

        var body = await Eventually.ValueAsync(
            () => Task.FromResult(observed.Receiver.Received.FirstOrDefault(got => got.Path == receiver && got.Body.Contains(alert)).Body),
            body => body is not null,
            Patience,
            $"{alert} at {receiver}",
            TestContext.Current.CancellationToken
        );

        var sent = JsonNode.Parse(body!)!["alerts"]!.AsArray().First(one => (string?)one!["labels"]!["alertname"] == alert)!;
        Assert.Equal("firing", (string?)sent["status"]);
        Assert.EndsWith($"/{alert}.md", (string?)sent["annotations"]!["runbook_url"], StringComparison.Ordinal);
    }

    /// <summary>The board of one job asks the farm: every field that it shows is in an answer.</summary>
    [Fact]
    public async Task FarmQueries_EveryField_IsInTheAnswer()
    {
        var (farm, _) = await observed.GetAsync();
        foreach (var (panel, target) in Board.All().SelectMany(board => board.FarmQueries))
        {
            var url = new Uri(((string)target["url"]!).Replace("${video}", observed.Video, StringComparison.Ordinal), UriKind.Relative);
            var body = JsonNode.Parse(await farm.Http.GetStringAsync(url, TestContext.Current.CancellationToken))!;
            var selector = (string)target["root_selector"]!;
            var root = selector.Length > 0 ? body[selector]!.AsArray() : new JsonArray(body.DeepClone());
            Assert.NotEmpty(root);
            foreach (var column in target["columns"]!.AsArray())
            {
                var path = ((string)column!["selector"]!).Split('.');
                Assert.True(root.Any(row => Has(row, path)), $"{panel}: nothing has {column["selector"]}: {body}");
            }
        }
    }

    private static bool Has(JsonNode? row, string[] path)
    {
        foreach (var name in path)
        {
            if (row is not JsonObject map || !map.ContainsKey(name))
            {
                // A field that is null now may be an object later.
                return row is null;
            }

            row = map[name];
        }

        return true;
    }

    private static string Loosened(string selector) =>
        Unmade.Keys.Aggregate(
            selector,
            (text, matcher) => text.Replace(matcher, $"{matcher[..matcher.IndexOfAny(['=', '!'])]}!=\"\"", StringComparison.Ordinal)
        );

    // Those of the series that have the label.
    private static string With(string series, string label) =>
        series.EndsWith('}') ? $"{series[..^1]}, {label}!=\"\"}}" : $"{series}{{{label}!=\"\"}}";

    private async Task AnswerAsync(IEnumerable<Query> queries)
    {
        var (farm, prometheus) = await observed.GetAsync();
        var open = queries.ToList();
        Assert.NotEmpty(open);
        await farm.EventuallyAsync(
            async () =>
            {
                var still = new List<Query>();
                foreach (var query in open)
                {
                    if (!(await prometheus.AskAsync(query.Expression)).Any(series => double.IsFinite(series.Value)))
                    {
                        still.Add(query);
                    }
                }

                open = still;
                return open.Count == 0;
            },
            Patience,
            "every query to return data",
            () => string.Join(Environment.NewLine, open.Select(query => $"{query.Where}: {query.Expression}"))
        );
    }
}
