using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Observability.Tests.Shipped;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Observability.Tests.Servers;

/// <summary>Prometheus with the rules and the jobs that are shipped, at other addresses and in seconds.</summary>
internal sealed class Prometheus : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder;
    private readonly FarmProcess _process;
    private readonly HttpClient _http;

    private Prometheus(TemporaryFolder folder, FarmProcess process, Uri address) =>
        (_folder, _process, _http) = (folder, process, new HttpClient { BaseAddress = address });

    /// <param name="alertmanager">Who is told what fires.</param>
    /// <param name="targets">Where each job of the shipped configuration finds what it scrapes; a whole URL is a path too.</param>
    public static async Task<Prometheus> StartAsync(Uri alertmanager, IReadOnlyDictionary<string, IReadOnlyList<Uri>> targets)
    {
        var program = Program.Find("prometheus");
        var folder = new TemporaryFolder();
        var port = FreePort();
        var configuration = Configuration(alertmanager, targets);
        await File.WriteAllTextAsync(folder.File("prometheus.yml"), configuration, TestContext.Current.CancellationToken);
        var process = FarmProcess.Start(
            "prometheus",
            program,
            [
                $"--config.file={folder.File("prometheus.yml")}",
                $"--storage.tsdb.path={folder.File("data")}",
                $"--web.listen-address=127.0.0.1:{port}",
            ],
            new Dictionary<string, string>(),
            folder.File("prometheus.log")
        );
        var server = new Prometheus(folder, process, new Uri($"http://127.0.0.1:{port}"));
        await Eventually.TrueAsync(server.IsReadyAsync, StartTime, "Prometheus to be ready", TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>The jobs of <c>deploy/prometheus/prometheus.yml</c>.</summary>
    public static IReadOnlyList<string> Jobs() =>
        [
            .. Rule.Children(Rule.Load(Path.Combine(Rule.Folder, "prometheus.yml"))["scrape_configs"])
                .Select(job => Rule.Text(job, "job_name")!),
        ];

    /// <returns>The values of the answer: one for each series.</returns>
    public async Task<IReadOnlyList<(JsonNode Labels, double Value)>> AskAsync(string expression)
    {
        using var form = new FormUrlEncodedContent([new("query", expression)]);
        using var answer = await _http.PostAsync(new Uri("api/v1/query", UriKind.Relative), form, TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.True(answer.IsSuccessStatusCode, $"{expression}: {body["error"]}");
        return
        [
            .. body["data"]!["result"]!
                .AsArray()
                .Select(series => (series!["metric"]!, double.Parse((string)series["value"]![1]!, CultureInfo.InvariantCulture))),
        ];
    }

    /// <returns>Every rule with <c>health</c> and <c>lastError</c>.</returns>
    public async Task<IReadOnlyList<JsonNode>> RulesAsync()
    {
        var rules = new Uri("api/v1/rules", UriKind.Relative);
        var body = JsonNode.Parse(await _http.GetStringAsync(rules, TestContext.Current.CancellationToken))!;
        return [.. body["data"]!["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray()).Select(rule => rule!)];
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task<bool> IsReadyAsync()
    {
        Assert.False(_process.HasExited, _process.LastWords());
        try
        {
            using var answer = await _http.GetAsync(new Uri("-/ready", UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string Configuration(Uri alertmanager, IReadOnlyDictionary<string, IReadOnlyList<Uri>> targets)
    {
        var text = new StringBuilder("global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files:\n");
        foreach (var file in Rule.Files)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - {file}\n");
        }

        text.Append(
            CultureInfo.InvariantCulture,
            $"alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{alertmanager.Authority}'] }}] }}] }}\nscrape_configs:\n"
        );
        foreach (var (job, urls) in targets)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - job_name: {job}\n    static_configs:\n");
            foreach (var url in urls)
            {
                text.Append(CultureInfo.InvariantCulture, $"      - targets: ['{url.Authority}']\n        labels: {{ farm: main }}\n");
            }
        }

        return text.ToString();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
